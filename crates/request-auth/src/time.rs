//! Time as an argument: seconds since 1970 and the three spellings that requests and answers use.
//!
//! Parsing is strict where leniency would change the meaning: a date that is not read exactly never
//! becomes "no expiry". Years before 1970 and after 9999, leap seconds, `24:00`, two-digit years and
//! zones other than GMT are refused.

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UnixSeconds(pub i64);

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAY: i64 = 86_400;

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl UnixSeconds {
    /// The distance to another moment in seconds, never negative.
    pub fn distance(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }

    /// Reads an HTTP date as the SDKs write it: `Wed, 01 May 2024 12:34:56 GMT`. The weekday has to
    /// be one but is not compared with the date; a one-digit day is read as well.
    pub fn from_http_date(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let mut words = text.split(' ');
        let weekday = words.next()?.strip_suffix(',')?;
        if !WEEKDAYS.contains(&weekday) {
            return None;
        }
        let day = digits(words.next()?, 1..=2)?;
        let name = words.next()?;
        let month = MONTHS.iter().position(|month| *month == name)?;
        let year = digits(words.next()?, 4..=4)?;
        let mut clock = words.next()?.split(':');
        let hour = digits(clock.next()?, 2..=2)?;
        let minute = digits(clock.next()?, 2..=2)?;
        let second = digits(clock.next()?, 2..=2)?;
        if clock.next().is_some() || words.next()? != "GMT" || words.next().is_some() {
            return None;
        }
        let month = i64::try_from(month).ok()?.checked_add(1)?;
        Self::from_civil(year, month, day, hour, minute, second)
    }

    /// Reads `yyyymmddThhmmssZ`.
    pub fn from_iso_basic(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        if text.len() != 16 || text.get(8..9) != Some("T") || text.get(15..) != Some("Z") {
            return None;
        }
        let part = |from: usize, to: usize| digits(text.get(from..to)?, 1..=4);
        Self::from_civil(
            part(0, 4)?,
            part(4, 6)?,
            part(6, 8)?,
            part(9, 11)?,
            part(11, 13)?,
            part(13, 15)?,
        )
    }

    /// Reads `yyyy-mm-ddThh:mm:ssZ`, with or without a fraction of a second, which is dropped.
    pub fn from_iso_extended(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?.strip_suffix('Z')?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        digits(fraction, 1..=9)?;
        let bytes = whole.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if whole.len() != 19 || marks.into_iter().any(|(at, mark)| bytes.get(at) != Some(&mark)) {
            return None;
        }
        let part = |from: usize, to: usize| digits(whole.get(from..to)?, 1..=4);
        Self::from_civil(
            part(0, 4)?,
            part(5, 7)?,
            part(8, 10)?,
            part(11, 13)?,
            part(14, 16)?,
            part(17, 19)?,
        )
    }

    fn from_civil(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<Self> {
        if !(1970..=9999).contains(&year) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        if day < 1 || day > days_in_month(year, month)? {
            return None;
        }
        let of_day = hour
            .checked_mul(3600)?
            .checked_add(minute.checked_mul(60)?)?
            .checked_add(second)?;
        days_from_civil(year, month, day)?
            .checked_mul(DAY)?
            .checked_add(of_day)
            .map(Self)
    }

    fn civil(self) -> Civil {
        let days = self.0.div_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            second_of_day: self.0.rem_euclid(DAY),
        }
    }

    /// Writes an HTTP date: `Wed, 01 May 2024 12:34:56 GMT`.
    pub fn http_date(self) -> String {
        let civil = self.civil();
        let weekday = usize::try_from(self.0.div_euclid(DAY).rem_euclid(7))
            .ok()
            .and_then(|n| WEEKDAYS.get(n));
        let month = usize::try_from(civil.month.saturating_sub(1))
            .ok()
            .and_then(|n| MONTHS.get(n));
        let mut text = String::with_capacity(29);
        text.push_str(weekday.copied().unwrap_or("Thu"));
        text.push_str(", ");
        push_digits(&mut text, civil.day, 2);
        text.push(' ');
        text.push_str(month.copied().unwrap_or("Jan"));
        text.push(' ');
        push_digits(&mut text, civil.year, 4);
        text.push(' ');
        push_clock(&mut text, civil.second_of_day, ":");
        text.push_str(" GMT");
        text
    }

    /// Writes `yyyymmddThhmmssZ`.
    pub fn iso_basic(self) -> String {
        let civil = self.civil();
        let mut text = self.iso_day();
        text.push('T');
        push_clock(&mut text, civil.second_of_day, "");
        text.push('Z');
        text
    }

    /// Writes the UTC day, `yyyymmdd`.
    pub fn iso_day(self) -> String {
        let civil = self.civil();
        let mut text = String::with_capacity(16);
        push_digits(&mut text, civil.year, 4);
        push_digits(&mut text, civil.month, 2);
        push_digits(&mut text, civil.day, 2);
        text
    }

    /// Writes `yyyy-mm-ddThh:mm:ss.000Z`, the one form that oss2 reads.
    pub fn iso_extended(self) -> String {
        let civil = self.civil();
        let mut text = String::with_capacity(24);
        push_digits(&mut text, civil.year, 4);
        text.push('-');
        push_digits(&mut text, civil.month, 2);
        text.push('-');
        push_digits(&mut text, civil.day, 2);
        text.push('T');
        push_clock(&mut text, civil.second_of_day, ":");
        text.push_str(".000Z");
        text
    }
}

/// Exactly as many ASCII digits as `length` allows: no sign, no blank, no other script.
fn digits(text: &str, length: core::ops::RangeInclusive<usize>) -> Option<i64> {
    if length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

fn push_digits(text: &mut String, value: i64, width: u32) {
    for position in (0..width).rev() {
        let digit = value
            .checked_div(10_i64.saturating_pow(position))
            .unwrap_or(0)
            .rem_euclid(10);
        text.push(
            u32::try_from(digit)
                .ok()
                .and_then(|digit| char::from_digit(digit, 10))
                .unwrap_or('0'),
        );
    }
}

fn push_clock(text: &mut String, second_of_day: i64, separator: &str) {
    push_digits(text, second_of_day.div_euclid(3600), 2);
    text.push_str(separator);
    push_digits(text, second_of_day.div_euclid(60).rem_euclid(60), 2);
    text.push_str(separator);
    push_digits(text, second_of_day.rem_euclid(60), 2);
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn days_in_month(year: i64, month: i64) -> Option<i64> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => return None,
    })
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible
/// low-level date algorithms", days_from_civil).
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = month.checked_add(9)?.rem_euclid(12);
    let day_of_year = 153_i64
        .checked_mul(month_from_march)?
        .checked_add(2)?
        .div_euclid(5)
        .checked_add(day)?
        .checked_sub(1)?;
    let day_of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.div_euclid(4))?
        .checked_sub(year_of_era.div_euclid(100))?
        .checked_add(day_of_year)?;
    era.checked_mul(146_097)?
        .checked_add(day_of_era)?
        .checked_sub(719_468)
}

/// The inverse of [`days_from_civil`] (same source, civil_from_days).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = day_of_era
        .saturating_sub(day_of_era.div_euclid(1460))
        .saturating_add(day_of_era.div_euclid(36_524))
        .saturating_sub(day_of_era.div_euclid(146_096))
        .div_euclid(365);
    let before = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era.div_euclid(4))
        .saturating_sub(year_of_era.div_euclid(100));
    let day_of_year = day_of_era.saturating_sub(before);
    let month_from_march = day_of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let month_start = month_from_march
        .saturating_mul(153)
        .saturating_add(2)
        .div_euclid(5);
    let day = day_of_year.saturating_sub(month_start).saturating_add(1);
    let month = if month_from_march < 10 {
        month_from_march.saturating_add(3)
    } else {
        month_from_march.saturating_sub(9)
    };
    let year = year_of_era
        .saturating_add(era.saturating_mul(400))
        .saturating_add(i64::from(month <= 2));
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_and_read_in_every_form() {
        for (seconds, http, basic, extended) in [
            (
                0,
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "19700101T000000Z",
                "1970-01-01T00:00:00.000Z",
            ),
            (
                1_714_566_896,
                "Wed, 01 May 2024 12:34:56 GMT",
                "20240501T123456Z",
                "2024-05-01T12:34:56.000Z",
            ),
            (
                951_782_399,
                "Mon, 28 Feb 2000 23:59:59 GMT",
                "20000228T235959Z",
                "2000-02-28T23:59:59.000Z",
            ),
            (
                951_868_800,
                "Wed, 01 Mar 2000 00:00:00 GMT",
                "20000301T000000Z",
                "2000-03-01T00:00:00.000Z",
            ),
            (
                253_402_300_799,
                "Fri, 31 Dec 9999 23:59:59 GMT",
                "99991231T235959Z",
                "9999-12-31T23:59:59.000Z",
            ),
        ] {
            let moment = UnixSeconds(seconds);
            assert_eq!(moment.http_date(), http);
            assert_eq!(moment.iso_basic(), basic);
            assert_eq!(moment.iso_extended(), extended);
            assert_eq!(UnixSeconds::from_http_date(http.as_bytes()), Some(moment));
            assert_eq!(UnixSeconds::from_iso_basic(basic.as_bytes()), Some(moment));
            for text in [
                extended.to_owned(),
                extended.replace(".000", ""),
                extended.replace(".000", ".999999"),
            ] {
                assert_eq!(UnixSeconds::from_iso_extended(text.as_bytes()), Some(moment));
            }
        }
    }

    #[test]
    fn every_day_of_eight_centuries_survives_print_and_parse() {
        for day in 0..292_000 {
            let moment = UnixSeconds(day * DAY + day % DAY);
            assert_eq!(
                UnixSeconds::from_http_date(moment.http_date().as_bytes()),
                Some(moment)
            );
            assert_eq!(
                UnixSeconds::from_iso_basic(moment.iso_basic().as_bytes()),
                Some(moment)
            );
        }
    }

    #[test]
    fn c05_dates_that_are_not_exactly_one_moment_are_refused() {
        for text in [
            "",
            "Wed, 01 May 24 12:34:56 GMT",
            "Wed, 01 May 2024 12:34:60 GMT",
            "Wed, 01 May 2024 24:00:00 GMT",
            "Wed, 31 Apr 2024 00:00:00 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Wed, 01 May 1969 00:00:00 GMT",
            "Wed, 01 May -024 00:00:00 GMT",
            "Wed, 01 May 10000 00:00:00 GMT",
            "Wed, 01 May 2024 12:34:56 UTC",
            "Wed, 01 May 2024 12:34:56 +0000",
            "Wed, 01 May 2024 12:34:56",
            "mercredi, 01 mai 2024 12:34:56 GMT",
            "Wednesday, 01-May-24 12:34:56 GMT",
            "Wed May  1 12:34:56 2024",
            "Wed, 01 May 2024  12:34:56 GMT",
            "1714566896",
            "NaN",
        ] {
            assert_eq!(UnixSeconds::from_http_date(text.as_bytes()), None, "{text}");
        }
        for text in [
            "20240501T123460Z",
            "20240501T240000Z",
            "20241301T000000Z",
            "20240500T000000Z",
            "2024-05-01T12:34:56Z",
            "20240501T123456z",
            "+0240501T123456Z",
        ] {
            assert_eq!(UnixSeconds::from_iso_basic(text.as_bytes()), None, "{text}");
        }
        for text in [
            "2024-05-01T12:34:60Z",
            "2024-05-01T24:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-05-01T12:34:56",
            "2024-05-01T12:34:56+00:00",
            "2024-05-01 12:34:56Z",
            "2024-05-01T12:34:56.Z",
            "2024-05-01T12:34:56.-1Z",
            "20240501T123456Z",
            "2024-5-1T12:34:56Z",
            "NaN",
            "",
        ] {
            assert_eq!(UnixSeconds::from_iso_extended(text.as_bytes()), None, "{text}");
        }
    }
}
