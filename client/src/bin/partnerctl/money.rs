//! Amounts of money in print.

use partnership_registry_client::Money;

/// An amount with its currency, such as `1000.50 USD`: as filters take it.
pub(crate) fn text(sum: &Money) -> String {
    format!("{} {}", amount(sum, digits(sum)), sum.currency_code)
}

/// How many digits an amount needs behind the point: none, or two, or more.
pub(crate) fn digits(sum: &Money) -> usize {
    let digits = format!("{:09}", sum.nanos.unsigned_abs());
    match digits.trim_end_matches('0').len() {
        0 => 0,
        some => some.max(2),
    }
}

/// An amount with so many digits behind the point, without its currency.
pub(crate) fn amount(sum: &Money, digits: usize) -> String {
    let sign = if sum.units < 0 || sum.nanos < 0 { "-" } else { "" };
    let fraction = format!("{:09}", sum.nanos.unsigned_abs());
    let point = if digits == 0 { "" } else { "." };
    format!("{sign}{}{point}{}", sum.units.unsigned_abs(), fraction.get(..digits).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(units: i64, nanos: i32) -> Money {
        Money { currency_code: "EUR".into(), units, nanos }
    }

    #[test]
    fn amounts_of_a_column_have_as_many_digits_as_the_longest_needs() {
        let table = [
            (money(1_000, 0), 0, "1000", "1000.000"),
            (money(1_000, 500_000_000), 2, "1000.50", "1000.500"),
            (money(0, -125_000_000), 3, "-0.125", "-0.125"),
            (money(-7, -10_000_000), 2, "-7.01", "-7.010"),
            (money(i64::MIN, 0), 0, "-9223372036854775808", "-9223372036854775808.000"),
        ];
        for (sum, own, alone, beside) in table {
            assert_eq!((digits(&sum), amount(&sum, own).as_str()), (own, alone));
            assert_eq!(amount(&sum, 3), beside);
        }
    }
}
