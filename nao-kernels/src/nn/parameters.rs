//! The parameters of any module and their gradients, flat and in the order of their declaration.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// One parameter of a module.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// What optimisers know it by.
    pub id: ParamId,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether it is trained; this shows on a device with gradients only.
    pub trained: bool,
    /// Its values, flat, on the device without gradients.
    pub value: Tensor<1>,
}

impl Parameter {
    fn of<const D: usize>(param: &Param<Tensor<D>>) -> Self {
        let value = param.val();
        let shape = value.dims().to_vec();
        let value = value.without_autodiff().flatten(0, D - 1);
        Parameter { id: param.id, shape, trained: param.is_require_grad(), value }
    }

    /// The values in their shape.
    pub fn data(&self) -> TensorData {
        reshaped(self.value.clone().into_data(), self.shape.clone())
    }
}

/// What is known of one parameter after a backward pass.
#[derive(Clone, Debug)]
pub struct ParameterGradient {
    /// What optimisers know it by.
    pub id: ParamId,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether it is trained.
    pub trained: bool,
    /// Its gradient, flat; `None` where the loss does not depend on it.
    pub gradient: Option<Tensor<1>>,
}

impl ParameterGradient {
    /// The gradient in the parameter's shape; zeros where there is none.
    pub fn data(self) -> TensorData {
        match self.gradient {
            Some(gradient) => reshaped(gradient.into_data(), self.shape),
            None => TensorData::zeros::<f32, _>(self.shape),
        }
    }
}

/// Every parameter, those that are not trained included.
pub fn parameters(module: &impl Module) -> Vec<Parameter> {
    struct All(Vec<Parameter>);
    impl ModuleVisitor for All {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(Parameter::of(param));
        }
    }
    let mut all = All(Vec::new());
    module.visit(&mut all);
    all.0
}

/// The values of every parameter.
pub fn values_of(module: &impl Module) -> Vec<Vec<f32>> {
    let values = parameters(module).into_iter();
    values.map(|parameter| parameter.value.into_data().iter::<f32>().collect()).collect()
}

/// Number of trained values. For a module on a device with gradients: elsewhere nothing is trained.
pub fn trained_values(module: &impl Module) -> u64 {
    let trained = parameters(module).into_iter().filter(|parameter| parameter.trained);
    trained.map(|parameter| parameter.shape.iter().product::<usize>() as u64).sum()
}

/// The gradient of every parameter.
pub fn gradients_of(module: &impl Module, gradients: &GradientsParams) -> Vec<ParameterGradient> {
    struct Found<'a> {
        gradients: &'a GradientsParams,
        found: Vec<ParameterGradient>,
    }
    impl ModuleVisitor for Found<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = self.gradients.get::<D>(param.id).map(|gradient| gradient.flatten(0, D - 1));
            let shape = param.dims().to_vec();
            self.found.push(ParameterGradient {
                id: param.id,
                shape,
                trained: param.is_require_grad(),
                gradient,
            });
        }
    }
    let mut found = Found { gradients, found: Vec::new() };
    module.visit(&mut found);
    found.found
}

/// The gradient of every parameter as plain numbers; zeros where there is none.
pub fn gradient_values_of(module: &impl Module, gradients: &GradientsParams) -> Vec<Vec<f32>> {
    let gradients = gradients_of(module, gradients).into_iter();
    gradients.map(|gradient| gradient.data().iter::<f32>().collect()).collect()
}

/// The module with some parameters replaced: by flat values without gradients, as many as there were. What was trained
/// is trained still.
pub fn map_values<M: Module>(module: M, replace: impl FnMut(&Parameter) -> Option<Tensor<1>>) -> M {
    struct Replace<F>(F);
    impl<F: FnMut(&Parameter) -> Option<Tensor<1>>> ModuleMapper for Replace<F> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let old = Parameter::of(&param);
            let Some(new) = (self.0)(&old) else { return param };
            param.map(|tensor| {
                let new = new.reshape(tensor.dims());
                let new = if tensor.is_autodiff() { new.autodiff() } else { new };
                if old.trained { new.require_grad() } else { new }
            })
        }
    }
    module.map(&mut Replace(replace))
}

/// Numbers that are not those of a module's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen(pub String);

/// The module with other values, in the order of its parameters.
///
/// # Errors
/// When the numbers of values are not those of the parameters: says where.
pub fn with_values<M: Module>(module: M, values: Vec<Vec<f32>>) -> Result<M, Misshapen> {
    let parameters = parameters(&module);
    for (at, parameter) in parameters.iter().enumerate() {
        let found = match values.get(at) {
            Some(values) if values.len() == parameter.shape.iter().product::<usize>() => continue,
            Some(values) => format!("has {} values", values.len()),
            None => "is missing".to_owned(),
        };
        return Err(Misshapen(format!("parameter {at} {found}, wanted are {:?}", parameter.shape)));
    }
    if values.len() > parameters.len() {
        return Err(Misshapen(format!("there are more than {} parameters", parameters.len())));
    }
    let mut values = values.into_iter();
    Ok(map_values(module, |old| {
        let values = values.next()?;
        let len = values.len();
        Some(Tensor::from_data(TensorData::new(values, [len]), &old.value.device()))
    }))
}

/// The same numbers in another shape.
pub fn reshaped(data: TensorData, shape: Vec<usize>) -> TensorData {
    let (bytes, _, dtype) = data.into_parts();
    TensorData::from_bytes(bytes, shape, dtype)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    struct Two {
        matrix: Param<Tensor<2>>,
        held: Param<Tensor<1>>,
    }

    fn two(device: &Device) -> Two {
        let matrix = Param::from_tensor(Tensor::from_data([[1.0, 2.0], [3.0, 4.0]], device));
        let held = Param::from_tensor(Tensor::from_data([5.0], device)).set_require_grad(false);
        Two { matrix, held }
    }

    #[test]
    fn values_are_read_and_replaced_and_what_is_trained_stays_so() {
        for device in [Device::flex(), Device::flex().autodiff()] {
            let two = two(&device);
            assert_eq!(values_of(&two), [vec![1.0, 2.0, 3.0, 4.0], vec![5.0]]);
            assert_eq!(trained_values(&two), if device.is_autodiff() { 4 } else { 0 });
            let ids: Vec<_> = parameters(&two).into_iter().map(|parameter| parameter.id).collect();
            let doubled = map_values(two, |old| Some(old.value.clone() * 2.0));
            assert_eq!(values_of(&doubled), [vec![2.0, 4.0, 6.0, 8.0], vec![10.0]]);
            let again: Vec<_> = parameters(&doubled).into_iter().map(|parameter| parameter.id).collect();
            assert_eq!(again, ids);
            assert_eq!(trained_values(&doubled), if device.is_autodiff() { 4 } else { 0 });
            let written = with_values(doubled.clone(), vec![vec![0.0; 4], vec![1.0]]).unwrap();
            assert_eq!(values_of(&written), [vec![0.0; 4], vec![1.0]]);
            for (wrong, what) in [
                (vec![vec![0.0; 4]], "parameter 1 is missing"),
                (vec![vec![0.0; 3], vec![1.0]], "parameter 0 has 3 values"),
                (vec![vec![0.0; 4], vec![1.0], vec![]], "more than 2 parameters"),
            ] {
                let Misshapen(problem) = with_values(doubled.clone(), wrong).unwrap_err();
                assert!(problem.contains(what), "{problem}");
            }
        }
    }

    #[test]
    fn a_parameter_without_a_gradient_has_zeros() {
        let two = two(&Device::flex().autodiff());
        let gradients = two.matrix.val().powi_scalar(2).sum().backward();
        let gradients = gradients_of(&two, &GradientsParams::from_grads(gradients, &two));
        let data: Vec<_> = gradients.into_iter().map(ParameterGradient::data).collect();
        assert_eq!(data[0], TensorData::from([[2.0f32, 4.0], [6.0, 8.0]]));
        assert_eq!(data[1], TensorData::from([0.0f32]));
    }
}
