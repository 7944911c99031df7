//! How a resource stands on a day: what its kind computes from what it holds. It is in no stored document and in no export;
//! whatever else leaves the registry has it behind the fields that are stored.

use bytes::Bytes;
use partnership_registry::v1::PartialDate;

use super::{envelope, stamp, wire};
use crate::kinds::timeline::Asked;
use crate::registry::error::Error;
use crate::registry::schema::{KindId, Schemas};
use crate::time::Day;
use crate::values::partial_date;

/// About how many bytes are computed, without parties.
const COMPUTED_BYTES: usize = 128;

/// A document with what is computed of it for a day. Of most kinds nothing is, and then nothing is copied.
pub(crate) fn answered(schemas: &Schemas, kind: KindId, document: Bytes, asked: Asked) -> Bytes {
    let rules = &schemas.kind(kind).rules;
    let Some(dated) = rules.dated else { return document };
    // What is stored has been decoded before it was, and its checksum is right.
    let Ok(resource) = (rules.decode)(&document) else {
        tracing::error!(name = stamp::name(&document), "a stored resource cannot be decoded");
        return document;
    };
    let mut out = Vec::with_capacity(document.len() + COMPUTED_BYTES);
    // A version in which callers wrote what is computed now has left it in what it stored.
    let stored = wire::fields(&document).filter(|field| !dated.computed_fields.contains(&field.number));
    stored.for_each(|field| out.extend_from_slice(field.whole));
    out.extend_from_slice(&(dated.computed)(&resource, asked));
    out.into()
}

/// A stored envelope, with what is computed of the document in it.
pub(crate) fn answered_envelope(schemas: &Schemas, sealed: Bytes, asked: Asked) -> Bytes {
    let Some((kind, document)) = envelope::open_envelope(schemas, &sealed) else { return sealed };
    if schemas.kind(kind).rules.dated.is_none() {
        return sealed;
    }
    let document = answered(schemas, kind, sealed.slice_ref(document), asked);
    envelope::envelope(schemas.kind(kind), &document).into()
}

/// What is told of a resource about the settled day of its revision, with all that there is to tell.
pub(crate) fn on_settled_day(settled: Day) -> Asked {
    Asked { settled, valid: settled, parties: true }
}

/// The day that a request asks about, if it does. Fails with `Invalid` if it is no whole day, or the kind's resources stand
/// alike on all days.
pub(crate) fn valid_day(schemas: &Schemas, kind: KindId, date: Option<&PartialDate>) -> Result<Option<Day>, Error> {
    let Some(date) = date else { return Ok(None) };
    let kind = schemas.kind(kind);
    if kind.rules.dated.is_none() {
        let rule = format!("must be left out of a question about {}, which stand alike on all days", kind.collection);
        return Err(Error::invalid("valid_date", rule));
    }
    let whole = date.day != 0 && !date.approximate && !date.uncertain;
    match partial_date::day_numbers(date) {
        Some((first, last)) if whole && first == last => Ok(Some(Day(first))),
        Some(_) | None => {
            let rule = format!("must be a day of the calendar, neither approximate nor uncertain, and is {date}");
            Err(Error::invalid("valid_date", rule))
        }
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Agreement, AgreementState, Country};
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn what_is_computed_stands_behind_what_is_stored() {
        let schemas = contract();
        let stored = Agreement { name: "agreements/x".into(), ..Agreement::default() };
        let (kind, asked) = (kind_of(&schemas, "agreements"), on_settled_day(Day(0)));
        let told = answered(&schemas, kind, stored.encode_to_vec().into(), asked);
        let told = Agreement::decode(told).unwrap();
        assert!(told.status.is_some(), "{told:?}");
        assert_eq!(Agreement { state: 0, status: None, ..told.clone() }, stored);

        // A state that was stored when callers still wrote it.
        let old = Agreement { state: AgreementState::Suspended.into(), ..stored.clone() };
        let of_old = answered(&schemas, kind, old.encode_to_vec().into(), asked);
        assert_eq!(Agreement::decode(of_old).unwrap(), told);

        let sealed = envelope::envelope(schemas.kind(kind), &stored.encode_to_vec());
        let told_so = answered_envelope(&schemas, sealed.into(), asked);
        let (_, document) = envelope::open_envelope(&schemas, &told_so).unwrap();
        assert_eq!(Agreement::decode(document).unwrap(), told);
    }

    #[test]
    fn of_a_kind_that_stands_alike_on_all_days_nothing_is_computed() {
        let schemas = contract();
        let kind = kind_of(&schemas, "countries");
        let stored: Bytes = Country { name: "countries/kr".into(), ..Country::default() }.encode_to_vec().into();
        let told = answered(&schemas, kind, stored.clone(), on_settled_day(Day(0)));
        assert_eq!(told.as_ptr(), stored.as_ptr(), "it is not even copied");
        assert!(valid_day(&schemas, kind, Some(&PartialDate::day(1990, 1, 1))).is_err());
        assert_eq!(valid_day(&schemas, kind, None).unwrap(), None);
    }

    #[test]
    fn a_question_is_about_a_whole_day() {
        let schemas = contract();
        let kind = kind_of(&schemas, "agreements");
        let day = |date: &PartialDate| valid_day(&schemas, kind, Some(date));
        assert_eq!(day(&PartialDate::day(1970, 1, 2)).unwrap(), Some(Day(1)));
        let about = PartialDate { approximate: true, ..PartialDate::day(1970, 1, 2) };
        let doubtful = PartialDate { uncertain: true, ..PartialDate::day(1970, 1, 2) };
        let text = PartialDate::original("1970");
        let (year, month, none) = (PartialDate::year(1970), PartialDate::month(1970, 1), PartialDate::day(1970, 2, 30));
        for date in [about, doubtful, year, month, none, PartialDate::unknown(), text, PartialDate::default()] {
            assert!(matches!(day(&date), Err(Error::Invalid(_))), "{date:?}");
        }
    }
}
