//! ECDSA on P-256, verified: FIPS 186-5 §6.4.2 over the complete addition of Renes, Costello and Batina
//! (<https://eprint.iacr.org/2015/1060>, algorithm 4), which has no special cases.
//!
//! Only public values come here, so nothing runs in constant time. The arithmetic modulo a number is the same as RSA's.
//! The curve is written out because the crates that have it bring signing, square roots, tables and three ways to write
//! a number: a tenth of what an edge function may weigh. The tests compare it with one of them.

use super::modular::{Modulus, Residue};

/// A number of 256 bits, big-endian.
type Number = [u8; 32];

/// The prime of the field (SP 800-186 §3.2.1.3, as what follows).
const PRIME: Number = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];
/// How many points there are.
const ORDER: Number = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// `ORDER` − 2, the power that inverts.
const INVERTING: Number = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];
/// `PRIME` − `ORDER`: a remainder below it is that of two coordinates.
const DIFFERENCE: Number = [
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x43,
    0x19, 0x05, 0x53, 0x58, 0xe8, 0x61, 0x7b, 0x0c, 0x46, 0x35, 0x3d, 0x03, 0x9c, 0xda, 0xae,
];
/// The curve's b; its a is −3.
const B: Number = [
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc, 0x65,
    0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
];
/// The generator's coordinates.
const GENERATOR: [Number; 2] = [
    [
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77,
        0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    ],
    [
        0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b,
        0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    ],
];

/// A point in projective coordinates; x/z and y/z are those of the plane, and z is 0 for the one at infinity.
#[derive(Clone)]
struct Point<'a> {
    x: Residue<'a>,
    y: Residue<'a>,
    z: Residue<'a>,
}

/// The field with the curve's b in it.
struct Curve<'a> {
    field: &'a Modulus,
    b: Residue<'a>,
}

impl<'a> Curve<'a> {
    fn over(field: &'a Modulus) -> Self {
        let b = field.residue(&B);
        Self { field, b }
    }

    /// The point that the bytes are: 4, x, y.
    fn decoded(&self, bytes: &[u8; 65]) -> Option<Point<'a>> {
        let (x, y) = bytes.strip_prefix(&[4])?.split_at_checked(32)?;
        self.point(&[x.try_into().ok()?, y.try_into().ok()?])
    }

    /// The point of these coordinates. `None` where there is none on the curve: y² = x³ − 3x + b.
    fn point(&self, [x, y]: &[Number; 2]) -> Option<Point<'a>> {
        if *x >= PRIME || *y >= PRIME {
            return None;
        }
        let (x, y) = (self.field.residue(x), self.field.residue(y));
        let three_x = x.double().add(&x);
        let right = x.square().mul(&x).sub(&three_x).add(&self.b);
        let z = self.field.one();
        (y.square() == right).then_some(Point { x, y, z })
    }

    /// The sum of any two points.
    fn sum(&self, p: &Point<'a>, q: &Point<'a>) -> Point<'a> {
        let triple = |a: Residue<'a>| a.double().add(&a);
        let xx = p.x.mul(&q.x);
        let yy = p.y.mul(&q.y);
        let zz = p.z.mul(&q.z);
        let xy = p.x.add(&p.y).mul(&q.x.add(&q.y)).sub(&xx).sub(&yy);
        let yz = p.y.add(&p.z).mul(&q.y.add(&q.z)).sub(&yy).sub(&zz);
        let xz = p.x.add(&p.z).mul(&q.x.add(&q.z)).sub(&xx).sub(&zz);
        let u = triple(xz.sub(&self.b.mul(&zz)));
        let zzz = triple(zz);
        let v = triple(self.b.mul(&xz).sub(&zzz).sub(&xx));
        let w = triple(xx).sub(&zzz);
        let (less, more) = (yy.sub(&u), yy.add(&u));
        Point {
            x: xy.mul(&more).sub(&yz.mul(&v)),
            y: more.mul(&less).add(&w.mul(&v)),
            z: yz.mul(&less).add(&xy.mul(&w)),
        }
    }
}

/// Whether the bytes are a point of the curve, uncompressed (SEC 1 §2.3.4): 4, x, y.
pub(crate) fn is_point(point: &[u8; 65]) -> bool {
    Modulus::new(&PRIME).is_some_and(|field| Curve::over(&field).decoded(point).is_some())
}

/// Whether the DER of r and s is a signature of the digest. Nothing counts signatures, so either value of s is taken.
pub(super) fn verifies(point: &[u8; 65], digest: &[u8], signature: &[u8]) -> bool {
    holds(point, digest, signature).unwrap_or(false)
}

fn holds(point: &[u8; 65], digest: &[u8], signature: &[u8]) -> Option<bool> {
    let field = Modulus::new(&PRIME)?;
    let curve = Curve::over(&field);
    let key = curve.decoded(point)?;
    let generator = curve.point(&GENERATOR)?;
    let (r, s) = numbers(signature)?;

    let order = Modulus::new(&ORDER)?;
    let s = order.residue(&s);
    // To the power of the order less 2: the inverse.
    let inverse = bits(&INVERTING).fold(order.one(), |power, bit| {
        let square = power.square();
        if bit { square.mul(&s) } else { square }
    });
    // No hash here is longer than the order, which would have to be cut.
    let of_generator = order.residue(digest).mul(&inverse).to_bytes();
    let of_key = order.residue(&r).mul(&inverse).to_bytes();

    let both = curve.sum(&generator, &key);
    let mut sum: Option<Point> = None;
    for (first, second) in bits(&of_generator).zip(bits(&of_key)) {
        let double = sum.map(|sum| curve.sum(&sum, &sum));
        let term = match (first, second) {
            (true, true) => Some(&both),
            (true, false) => Some(&generator),
            (false, true) => Some(&key),
            (false, false) => None,
        };
        sum = match (double, term) {
            (Some(double), Some(term)) => Some(curve.sum(&double, term)),
            (double, term) => double.or_else(|| term.cloned()),
        };
    }
    let sum = sum?;
    if sum.z.is_zero() {
        return Some(false);
    }
    // x/z, modulo the order, is r: so x/z is r or, where that is one of the field, r + order.
    let x = field.residue(&r);
    let is_small = r < DIFFERENCE;
    let other = x.add(&field.residue(&ORDER));
    Some(x.mul(&sum.z) == sum.x || is_small && other.mul(&sum.z) == sum.x)
}

/// The bits of a number, the highest first.
fn bits(number: &[u8]) -> impl Iterator<Item = bool> {
    number
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
}

/// r and s, which are from 1 to the order less 1, of a signature's one DER form (RFC 3279 §2.2.3).
fn numbers(der: &[u8]) -> Option<(Number, Number)> {
    let (content, rest) = value(0x30, der)?;
    let (r, behind) = value(0x02, content)?;
    let (s, end) = value(0x02, behind)?;
    (rest.is_empty() && end.is_empty()).then_some((in_range(r)?, in_range(s)?))
}

/// The content of a DER value with this tag and of less than 128 bytes, and what stands behind it.
fn value(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    match der {
        [found, length @ 0..0x80, rest @ ..] if *found == tag => rest.split_at_checked(usize::from(*length)),
        _ => None,
    }
}

/// The content of a positive DER integer: a zero goes first where the first bit is set, and nowhere else.
fn in_range(integer: &[u8]) -> Option<Number> {
    let digits = match integer {
        [0, digits @ ..] if matches!(digits, [0x80..=0xff, ..]) => digits,
        [1..0x80, ..] => integer,
        _ => return None,
    };
    let mut number = [0; 32];
    let at = number.len().checked_sub(digits.len())?;
    number.get_mut(at..)?.copy_from_slice(digits);
    (number < ORDER).then_some(number)
}

#[cfg(feature = "cloudfront-signer")]
#[cfg(test)]
mod tests;
