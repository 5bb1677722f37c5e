//! The addresses that a signed policy or a key's grant lets use it: a range in CIDR notation, compared with
//! the address that the platform gives for the connection. No header of a client is ever read for it.

use core::fmt;
use core::net::IpAddr;

/// A range of addresses of one family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddressRange {
    /// An address of the range.
    address: IpAddr,
    /// How many bits of it all have in common.
    bits: u8,
}

impl AddressRange {
    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address. Bits behind the prefix do not count; an
    /// IPv6 range of IPv4-mapped addresses is the IPv4 range.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = width(address);
        let bits = match bits {
            None => width,
            Some(text) if is_decimal(text) => text.parse().ok().filter(|bits| *bits <= width)?,
            Some(_) => return None,
        };
        match address.to_canonical() {
            mapped if mapped == address => Some(Self { address, bits }),
            address => Some(Self {
                address,
                bits: bits.checked_sub(96)?,
            }),
        }
    }

    /// Whether an address, as the platform writes it, is in the range. IPv4 addresses that come mapped
    /// into IPv6 are IPv4 ones; no address of the other family is in a range, /0 or not.
    pub fn contains(self, peer: &str) -> bool {
        let Ok(peer) = peer.parse::<IpAddr>().map(|peer| peer.to_canonical()) else {
            return false;
        };
        if width(peer) != width(self.address) {
            return false;
        }
        let differing = number(peer) ^ number(self.address);
        // The bits of an IPv4 address are the last 32 of its number.
        let behind = u32::from(width(peer).saturating_sub(self.bits));
        differing.checked_shr(behind).unwrap_or(0) == 0
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// How many bits an address has.
const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Without a sign or a zero in front.
fn is_decimal(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 3
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        AddressRange::parse(text).unwrap()
    }

    #[test]
    fn cf10_a_range_holds_the_addresses_of_its_prefix_and_family() {
        for (text, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.77/24", "192.0.2.1", "192.0.1.255"),
            ("192.0.2.7/32", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.6/31", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("0.0.0.0/0", "::ffff:203.0.113.9", "2001:db8::1"),
            ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("::/0", "::1", "::ffff:192.0.2.1"),
            ("::ffff:192.0.2.0/120", "192.0.2.200", "192.0.3.1"),
            ("::ffff:0.0.0.0/96", "192.0.2.200", "::1"),
        ] {
            assert!(range(text).contains(inside), "{text} {inside}");
            assert!(!range(text).contains(outside), "{text} {outside}");
        }
        for peer in [
            "",
            "192.0.2.7, 10.0.0.1",
            "192.0.2.7:80",
            " 192.0.2.7",
            "192.0.2",
            "3221225991",
        ] {
            assert!(!range("0.0.0.0/0").contains(peer), "{peer}");
        }
    }

    #[test]
    fn cf10_what_is_no_range_is_refused() {
        for text in [
            "",
            "/",
            "/24",
            "192.0.2.0/",
            "192.0.2.0/33",
            "192.0.2.0/-1",
            "192.0.2.0/+8",
            "192.0.2.0/08",
            "192.0.2.0/24/24",
            "192.0.2/24",
            "192.0.2.00/24",
            "0x7f.1/8",
            "*",
            "2001:db8::/129",
            "::ffff:192.0.2.0/95",
            "192.0.2.0/24 ",
            "192.0.2.0/255.255.255.0",
            "192.0.2.0/256",
        ] {
            assert_eq!(AddressRange::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_is_written_as_it_is_read() {
        for text in ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"] {
            assert_eq!(range(text).to_string(), text);
        }
    }
}
