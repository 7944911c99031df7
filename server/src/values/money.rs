//! Amounts of money.

use partnership_registry::Money;

use super::Broken;

const NANOS_MAX: i32 = 999_999_999;
/// How many billionths the unit of a currency has.
pub(crate) const NANOS_PER_UNIT: i128 = 1_000_000_000;

/// The rule that an amount breaks: it has a currency, whose form is checked with those of other texts, and one sign.
pub(crate) fn check(money: &Money) -> Option<Broken> {
    if money.currency_code.is_empty() {
        return Broken::some("currency_code", "is required");
    }
    if !(-NANOS_MAX..=NANOS_MAX).contains(&money.nanos) {
        return Broken::some("nanos", "must be -999,999,999 to 999,999,999");
    }
    if (money.units > 0 && money.nanos < 0) || (money.units < 0 && money.nanos > 0) {
        return Broken::some("nanos", "must have the sign of units");
    }
    None
}

/// Whether an amount that [`check`] accepts is below nothing.
pub(crate) fn is_negative(money: &Money) -> bool {
    money.units < 0 || money.nanos < 0
}

/// What orders amounts of one currency that [`check`] accepts.
pub(crate) fn order(money: &Money) -> (i64, i32) {
    (money.units, money.nanos)
}

/// The parts of an amount as billionths of the currency's unit.
pub(crate) fn nanos(units: i64, nanos: i32) -> i128 {
    i128::from(units) * NANOS_PER_UNIT + i128::from(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_a_currency_and_one_sign() {
        let table = [
            ("KRW", 0, 0, None),
            ("KRW", -5, -NANOS_MAX, None),
            ("KRW", 0, -1, None),
            ("", 1, 0, Some("currency_code")),
            ("KRW", 1, NANOS_MAX + 1, Some("nanos")),
            ("KRW", 1, -1, Some("nanos")),
            ("KRW", -1, 1, Some("nanos")),
        ];
        for (currency_code, units, nanos, expected) in table {
            let money = Money { currency_code: currency_code.into(), units, nanos };
            assert_eq!(check(&money).map(|broken| broken.field), expected, "{money:?}");
        }
    }

    #[test]
    fn an_amount_is_so_many_billionths() {
        assert_eq!(nanos(12, 500_000_000), 12_500_000_000);
        assert_eq!(nanos(0, -1), -1);
        assert_eq!(nanos(i64::MIN, -NANOS_MAX), -9_223_372_036_854_775_808_999_999_999);
    }
}
