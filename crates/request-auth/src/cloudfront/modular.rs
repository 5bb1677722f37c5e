//! Arithmetic modulo an odd number: Montgomery's (<https://cacr.uwaterloo.ca/hac/about/chap14.pdf>, 14.3.2), over digits
//! of 32 bits, the lowest first.
//!
//! Only public values come here, so nothing runs in constant time. `crypto-bigint`, which the tests hold it against, has
//! divisions, a multiplication for each width, and all of it in constant time: 11 KB more in the Worker, after gzip.

use core::iter::repeat;

/// An odd number of 2^k bits, from 32, of which the first is set.
pub(super) struct Modulus {
    digits: Vec<u32>,
    /// What the lowest digit's product with it is −1 of, modulo 2^32.
    inverse: u32,
    /// R modulo the number, R being the power of two that is above it: a residue's digits are those of its product with R.
    one: Vec<u32>,
    /// R² modulo the number.
    square: Vec<u32>,
}

impl Modulus {
    /// Reads a number, big-endian. Gives `None` for one of another form.
    pub(super) fn new(number: &[u8]) -> Option<Self> {
        let digits = digits(number);
        let (&lowest, highest) = (digits.first()?, digits.last()?);
        if !number.len().is_power_of_two() || highest.leading_zeros() > 0 || lowest & 1 == 0 {
            return None;
        }
        // Newton's way: an odd number is its own inverse in three bits, and each step doubles them.
        let inverse = (0..4).fold(lowest, |inverse, _| {
            inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse)))
        });
        let mut one = vec![0; digits.len()];
        subtract(&mut one, &digits);
        let mut modulus = Self {
            digits,
            inverse: inverse.wrapping_neg(),
            one,
            square: Vec::new(),
        };
        // 2, squared as often as makes it R.
        let bits = number.len().saturating_mul(8);
        let two = modulus.sum(&modulus.one, &modulus.one);
        modulus.square = (0..bits.ilog2()).fold(two, |power, _| modulus.product(&power, &power));
        Some(modulus)
    }

    /// A big-endian number as a residue. It may be above the modulus, and has at most as many bytes.
    pub(super) fn residue(&self, number: &[u8]) -> Residue<'_> {
        let mut digits = digits(number);
        digits.resize(self.digits.len(), 0);
        self.made(self.product(&digits, &self.square))
    }

    /// The residue that is 1.
    pub(super) fn one(&self) -> Residue<'_> {
        self.made(self.one.clone())
    }

    fn made(&self, digits: Vec<u32>) -> Residue<'_> {
        Residue {
            digits,
            modulus: self,
        }
    }

    /// a·b / R, b being below the modulus.
    fn product(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let length = self.digits.len();
        let mut sum = vec![0; length.saturating_mul(2).saturating_add(1)];
        for (place, digit) in a.iter().enumerate() {
            add(sum.get_mut(place..).unwrap_or_default(), b, *digit);
        }
        // Multiples of the modulus that make the lower half nothing: what is left is a multiple of R.
        for place in 0..length {
            let lowest = sum.get(place).copied().unwrap_or_default();
            let multiple = lowest.wrapping_mul(self.inverse);
            add(sum.get_mut(place..).unwrap_or_default(), &self.digits, multiple);
        }
        self.reduced(sum.split_off(length))
    }

    /// a + b.
    fn sum(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let mut sum = [a, &[0]].concat();
        add(&mut sum, b, 1);
        self.reduced(sum)
    }

    /// A number below twice the modulus and with a digit more, modulo it.
    fn reduced(&self, mut number: Vec<u32>) -> Vec<u32> {
        if subtract(&mut number, &self.digits) {
            add(&mut number, &self.digits, 1);
        }
        number.truncate(self.digits.len());
        number
    }
}

/// A number modulo another, which it was made with.
#[derive(Clone)]
pub(super) struct Residue<'a> {
    digits: Vec<u32>,
    modulus: &'a Modulus,
}

impl Residue<'_> {
    /// The sum of two residues modulo the same number, as what follows.
    pub(super) fn add(&self, other: &Self) -> Self {
        self.modulus_of(self.modulus.sum(&self.digits, &other.digits))
    }

    /// Their difference.
    pub(super) fn sub(&self, other: &Self) -> Self {
        let mut negative = self.modulus.digits.clone();
        subtract(&mut negative, &other.digits);
        self.modulus_of(self.modulus.sum(&self.digits, &negative))
    }

    /// Their product.
    pub(super) fn mul(&self, other: &Self) -> Self {
        self.modulus_of(self.modulus.product(&self.digits, &other.digits))
    }

    /// The sum with itself.
    pub(super) fn double(&self) -> Self {
        self.add(self)
    }

    /// The product with itself.
    pub(super) fn square(&self) -> Self {
        self.mul(self)
    }

    /// Whether it is 0.
    pub(super) fn is_zero(&self) -> bool {
        self.digits.iter().all(|digit| *digit == 0)
    }

    /// The number, below the modulus, big-endian and with as many bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut one = vec![0; self.digits.len()];
        add(&mut one, &[1], 1);
        let number = self.modulus.product(&self.digits, &one);
        number
            .iter()
            .rev()
            .flat_map(|digit| digit.to_be_bytes())
            .collect()
    }

    fn modulus_of(&self, digits: Vec<u32>) -> Self {
        Self {
            digits,
            modulus: self.modulus,
        }
    }
}

impl PartialEq for Residue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.digits == other.digits
    }
}

/// The digits of a big-endian number.
fn digits(number: &[u8]) -> Vec<u32> {
    let digit = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |digit: u32, byte| digit << 8 | u32::from(*byte))
    };
    number.rchunks(4).map(digit).collect()
}

/// Adds a multiple of a number to the one of these digits; what they have no room for is lost.
fn add(digits: &mut [u32], number: &[u32], multiple: u32) {
    let mut digits = digits.iter_mut();
    let mut carry = 0;
    for (other, digit) in number.iter().zip(digits.by_ref()) {
        (*digit, carry) = other.carrying_mul_add(multiple, *digit, carry);
    }
    for digit in digits {
        (*digit, carry) = digit.carrying_mul_add(1, carry, 0);
        if carry == 0 {
            return;
        }
    }
}

/// Subtracts a number. Gives whether it was the greater one: the difference is the one modulo the power of two then.
fn subtract(digits: &mut [u32], number: &[u32]) -> bool {
    let mut borrow = false;
    for (digit, other) in digits.iter_mut().zip(number.iter().chain(repeat(&0))) {
        (*digit, borrow) = digit.borrowing_sub(*other, borrow);
    }
    borrow
}

#[cfg(test)]
mod tests;
