//! A tensor as its file holds it, whatever the file's format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Type, shape and little-endian bytes, row by row. The bytes are the file's own wherever they stand
/// there in this order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawTensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Cow<'a, [u8]>,
}

/// Tensors by name, taken out as they are used.
pub(super) type Tensors<'a> = BTreeMap<String, RawTensor<'a>>;

impl<'a> RawTensor<'a> {
    /// A tensor of these bytes, of which there must be as many as type and shape need.
    pub(super) fn new(dtype: Dtype, shape: Vec<usize>, data: Cow<'a, [u8]>) -> Self {
        debug_assert_eq!(data.len(), shape.iter().product::<usize>() * bytes_of(dtype));
        Self { dtype, shape, data }
    }

    pub(super) fn dtype(&self) -> Dtype {
        self.dtype
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// The tensor with bytes of its own.
    pub(super) fn into_owned(self) -> RawTensor<'static> {
        RawTensor { dtype: self.dtype, shape: self.shape, data: Cow::Owned(self.data.into_owned()) }
    }
}

impl<'a> From<TensorView<'a>> for RawTensor<'a> {
    fn from(view: TensorView<'a>) -> Self {
        Self { dtype: view.dtype(), shape: view.shape().to_vec(), data: Cow::Borrowed(view.data()) }
    }
}

/// The bytes of one number.
pub(super) fn bytes_of(dtype: Dtype) -> usize {
    dtype.bitsize() / 8
}

/// The numbers of a shape, where they can be counted.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))
}

/// The bytes of a view into `storage` with strides, row by row: borrowed where they stand there in that
/// order. Sizes, strides and the offset count numbers of `bytes` bytes.
///
/// One line where the view reaches beyond its storage, or repeats parts of it: no view is larger than
/// its storage, so that a few bytes cannot ask for much memory.
pub(super) fn gather<'a>(
    storage: &'a [u8],
    bytes: usize,
    offset: usize,
    shape: &[usize],
    strides: &[usize],
) -> Result<Cow<'a, [u8]>, String> {
    if shape.len() != strides.len() {
        return Err(format!("has {} sizes and {} strides; it needs as many", shape.len(), strides.len()));
    }
    let available = storage.len() / bytes;
    let Some(numbers) = count(shape) else {
        return Err(format!("has shape {shape:?}, more numbers than any file holds"));
    };
    if numbers == 0 {
        return Ok(Cow::Borrowed(&[]));
    }
    let last = shape.iter().zip(strides).try_fold(offset, |last, (&size, &stride)| {
        (size - 1).checked_mul(stride).and_then(|reach| last.checked_add(reach))
    });
    if last.is_none_or(|last| last >= available) {
        return Err(format!(
            "reaches beyond its storage of {available} numbers (offset {offset}, shape {shape:?}, strides {strides:?})"
        ));
    }
    if numbers > available {
        return Err(format!(
            "repeats its storage: shape {shape:?} from {available} numbers; save it with .contiguous()"
        ));
    }
    let mut expected = 1;
    let contiguous = shape.iter().zip(strides).rev().all(|(&size, &stride)| {
        let fits = size == 1 || stride == expected;
        expected *= size;
        fits
    });
    if contiguous {
        return Ok(Cow::Borrowed(&storage[offset * bytes..(offset + numbers) * bytes]));
    }
    let mut gathered = Vec::with_capacity(numbers * bytes);
    let mut place = vec![0usize; shape.len()];
    let mut at = offset;
    for _ in 0..numbers {
        gathered.extend_from_slice(&storage[at * bytes..(at + 1) * bytes]);
        for axis in (0..shape.len()).rev() {
            place[axis] += 1;
            at += strides[axis];
            if place[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            place[axis] = 0;
        }
    }
    Ok(Cow::Owned(gathered))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_by_hand() {
        let storage: Vec<u8> = (0..12).collect();
        assert!(matches!(gather(&storage, 2, 1, &[2, 2], &[2, 1]), Ok(Cow::Borrowed(&[2, 3, 4, 5, 6, 7, 8, 9]))));
        // The transpose of 2 x 3.
        let turned = gather(&storage, 2, 0, &[3, 2], &[1, 3]).unwrap();
        assert_eq!(*turned, [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
        // Every second column of the second row.
        assert_eq!(*gather(&storage, 1, 6, &[1, 3], &[99, 2]).unwrap(), [6, 8, 10]);
        assert_eq!(gather(&storage, 1, 99, &[0, 3], &[1, 1]).unwrap().len(), 0);
        assert_eq!(*gather(&storage, 1, 3, &[], &[]).unwrap(), [3]);
    }

    #[test]
    fn views_that_lie() {
        let storage = [0u8; 12];
        let wrong =
            |offset, shape: &[usize], strides: &[usize]| gather(&storage, 2, offset, shape, strides).unwrap_err();
        assert!(wrong(1, &[2, 3], &[3, 1]).contains("beyond its storage of 6 numbers"));
        assert!(wrong(0, &[usize::MAX, 2], &[0, 0]).contains("more numbers than any file holds"));
        assert!(wrong(0, &[1 << 40], &[0]).contains("repeats its storage"));
        assert!(wrong(usize::MAX, &[2], &[usize::MAX]).contains("beyond"));
        assert!(wrong(0, &[2], &[1, 1]).contains("1 sizes and 2 strides"));
    }
}
