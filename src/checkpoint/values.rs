//! Numbers out of the bytes of a tensor.

use super::tensor::RawTensor;
use ndarray::{ArrayD, IxDyn};
use safetensors::Dtype;

use super::error::Problem;

/// The value of an IEEE 754 half-precision number; every one is exact in f32.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff);
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

/// The floats of a tensor as f32, and whether they were rounded (from f64); `None` for other
/// types. A number that f32 cannot hold becomes infinite, or zero.
fn floats(view: &RawTensor<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    let pairs =
        |convert: fn(u16) -> f32| data.as_chunks::<2>().0.iter().map(|b| convert(u16::from_le_bytes(*b))).collect();
    match view.dtype() {
        Dtype::F32 => Some(data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::F64 => Some(data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()),
        Dtype::F16 => Some(pairs(half)),
        Dtype::BF16 => Some(pairs(|bits| f32::from_bits(u32::from(bits) << 16))),
        _ => None,
    }
}

/// Refuses a tensor whose shape is not `expected`.
pub(super) fn check_shape(name: &str, view: &RawTensor<'_>, expected: &[usize]) -> Result<(), Problem> {
    if view.shape() == expected {
        return Ok(());
    }
    Err(Problem::tensor(name, format!("has shape {:?}; it must be {expected:?}", view.shape())))
}

/// Refuses a tensor whose type is not `expected`.
pub(super) fn check_type(name: &str, view: &RawTensor<'_>, expected: Dtype) -> Result<(), Problem> {
    if view.dtype() == expected {
        return Ok(());
    }
    Err(Problem::tensor(name, format!("has type {}; it must be {expected}", view.dtype())))
}

fn shaped<T>(name: &str, view: &RawTensor<'_>, values: Vec<T>) -> Result<ArrayD<T>, Problem> {
    ArrayD::from_shape_vec(IxDyn(view.shape()), values)
        .map_err(|error| Problem::tensor(name, format!("does not have the numbers of its shape: {error}")))
}

/// Refuses NaN and infinity.
pub(super) fn check_finite<'a>(name: &str, values: impl IntoIterator<Item = &'a f32>) -> Result<(), Problem> {
    match values.into_iter().enumerate().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((index, value)) => {
            Err(Problem::tensor(name, format!("holds {value} at flat index {index}; it must hold finite numbers")))
        }
    }
}

/// A tensor of finite numbers, from f32, f16 or bf16 exactly or from f64 rounded.
pub(super) fn numbers(name: &str, view: &RawTensor<'_>) -> Result<ArrayD<f32>, Problem> {
    let values = floats(view)
        .ok_or_else(|| Problem::tensor(name, format!("has type {}; it must be F32, F16, BF16 or F64", view.dtype())))?;
    if view.dtype() == Dtype::F64 {
        // A weight lost to zero would silently change the graph, one lost to infinity the order.
        for (index, (bytes, rounded)) in view.data().as_chunks::<8>().0.iter().zip(&values).enumerate() {
            let exact = f64::from_le_bytes(*bytes);
            if exact.is_finite() && (rounded.is_infinite() || (*rounded == 0.0) != (exact == 0.0)) {
                let message =
                    format!("holds {exact:e} at flat index {index}, which f32 cannot hold; rescale the weights");
                return Err(Problem::tensor(name, message));
            }
        }
    }
    check_finite(name, &values)?;
    shaped(name, view, values)
}

/// A mask of zeros and ones, of any type that PyTorch writes one in.
pub(super) fn mask(name: &str, view: &RawTensor<'_>) -> Result<ArrayD<bool>, Problem> {
    let wrong = |index: usize, value: String| {
        Problem::tensor(name, format!("holds {value} at flat index {index}; a mask holds 0 (pruned) and 1 (kept)"))
    };
    let values: Vec<bool> = if let Some(floats) = floats(view) {
        let entry = |(index, value): (usize, f32)| match value {
            0.0 => Ok(false),
            1.0 => Ok(true),
            _ => Err(wrong(index, value.to_string())),
        };
        floats.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?
    } else {
        let size = match view.dtype() {
            Dtype::BOOL | Dtype::U8 | Dtype::I8 => 1,
            Dtype::I16 | Dtype::U16 => 2,
            Dtype::I32 | Dtype::U32 => 4,
            Dtype::I64 | Dtype::U64 => 8,
            other => {
                return Err(Problem::tensor(name, format!("has type {other}; a mask must be U8, BOOL or F32")));
            }
        };
        let entry = |(index, bytes): (usize, &[u8])| match bytes {
            [first @ (0 | 1), rest @ ..] if rest.iter().all(|&byte| byte == 0) => Ok(*first == 1),
            _ => {
                let mut wide =
                    [if bytes.last().is_some_and(|&b| b > 127) && view.dtype() != Dtype::U8 { 255 } else { 0 }; 8];
                wide[..bytes.len()].copy_from_slice(bytes);
                Err(wrong(index, i64::from_le_bytes(wide).to_string()))
            }
        };
        view.data().chunks_exact(size).enumerate().map(entry).collect::<Result<_, _>>()?
    };
    shaped(name, view, values)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn half_precision_by_known_values() {
        let known = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2f32.powi(-14)),
            (0x0001, 2f32.powi(-24)),
            (0x3555, 1365.0 / 4096.0),
        ];
        for (bits, value) in known {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x8000) == 0.0 && half(0x8000).is_sign_negative());
        assert_eq!(half(0xfc00), f32::NEG_INFINITY);
        assert!(half(0x7c01).is_nan());
    }

    #[test]
    fn types_are_read_by_value() {
        let bytes: Vec<u8> = [0x3f80u16, 0xbf00].iter().flat_map(|b| b.to_le_bytes()).collect();
        let view = RawTensor::new(Dtype::BF16, vec![2], Cow::Borrowed(&bytes));
        assert_eq!(numbers("x", &view).unwrap().into_raw_vec_and_offset().0, [1.0, -0.5]);
        for bad in [1e300, 1e-300] {
            let bytes = f64::to_le_bytes(bad);
            let view = RawTensor::new(Dtype::F64, vec![1], Cow::Borrowed(&bytes));
            assert!(numbers("x", &view).unwrap_err().to_string().contains("f32 cannot hold"));
        }
        let bytes = [1u8, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255];
        let view = RawTensor::new(Dtype::I64, vec![2], Cow::Borrowed(&bytes));
        assert!(mask("m", &view).unwrap_err().to_string().contains("holds -2 at flat index 1"));
        let view = RawTensor::new(Dtype::I64, vec![1], Cow::Borrowed(&bytes[..8]));
        assert!(mask("m", &view).unwrap()[[0]]);
        let view = RawTensor::new(Dtype::U8, vec![1], Cow::Borrowed(&bytes[8..9]));
        assert!(mask("m", &view).unwrap_err().to_string().contains("holds 254"));
    }
}
