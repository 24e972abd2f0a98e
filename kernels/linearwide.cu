// Matrix products of a left operand with k fastest and a right one with k slowest: Linear of an InOut weight and LinearBackwardInput of an OutIn
// one, dx (+)= dy W. See linear.cu for formula, floor and geometry. dy may be fp32 beside bf16 weights (the gradient of logits); it is then rounded
// to bf16 on its way into shared memory, which costs no pass of its own.
#include "linearmma.cuh"
#include "linearsimt.cuh"

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) linearwide_f32(const LinearArguments a)
{
    linear_simt<true, false>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(LinearLarge::THREADS, 1) linearwide_large_bf16(const LinearArguments a)
{
    linear_async<LinearLarge, true, false>(a);
}

extern "C" __global__ void __launch_bounds__(LinearMedium::THREADS, 2) linearwide_medium_bf16(const LinearArguments a)
{
    linear_async<LinearMedium, true, false>(a);
}

extern "C" __global__ void __launch_bounds__(LinearSmall::THREADS, 4) linearwide_small_bf16(const LinearArguments a)
{
    linear_async<LinearSmall, true, false>(a);
}

extern "C" __global__ void __launch_bounds__(LinearFloat::THREADS, 1) linearwide_float_bf16(const LinearArguments a)
{
    using S = LinearFloat;
    linear_mma<S, true, false, FloatOperand<S::BM, S::THREADS, true>, AsyncOperand<S::BN, S::THREADS, false>>(a);
}
#endif
