//! `order_by` (AIP-132): one field, and whether it descends.

use crate::registry::error::Error;
use crate::registry::index::Order;
use crate::registry::resource::name::short;

/// The order that a request means, and whether it descends. Nothing said: by name.
pub(crate) fn parse(text: &str) -> Result<(Order, bool), Error> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (field, descending) = match words.as_slice() {
        [] => ("name", false),
        [field] | [field, "asc"] => (*field, false),
        [field, "desc"] => (*field, true),
        [..] => return Err(refused(text)),
    };
    let order = match field {
        "name" => Order::Name,
        "display_name" => Order::DisplayName,
        "create_time" => Order::CreateTime,
        "update_time" => Order::UpdateTime,
        _ => return Err(refused(text)),
    };
    Ok((order, descending))
}

fn refused(text: &str) -> Error {
    let rule = "must be one of name, display_name, create_time, update_time, with ' desc' for descending";
    Error::invalid("order_by", format!("{rule}; {:?} is not", short(text)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_one_field_and_a_direction() {
        let table = [
            ("", Order::Name, false),
            ("  ", Order::Name, false),
            ("name desc", Order::Name, true),
            ("display_name", Order::DisplayName, false),
            (" create_time  asc ", Order::CreateTime, false),
            ("update_time desc", Order::UpdateTime, true),
        ];
        for (text, order, descending) in table {
            assert_eq!(parse(text).unwrap(), (order, descending), "{text:?}");
        }
        for text in ["capital", "name, display_name", "name down", "name desc desc", "DESC", "desc"] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.starts_with("order_by: must be one of name, "), "{text:?}: {refused}");
        }
    }
}
