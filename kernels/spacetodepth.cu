// 2x2 blocks of pixels become one pixel each, the gradient of depthtospace.cu: layout and geometry as spacedepth.cuh says.
//   x [B,2h,2w,C], y [B,h,w,4C] of T
//   floor  2·B·h·w·4C·sizeof(T) bytes, no operation
#include "spacedepth.cuh"

extern "C" __global__ void __launch_bounds__(256) spacetodepth_f32(const SpaceDepthArguments a)
{
    for_each_run<float>(a.grid, SpaceDepth<float, true>{a});
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) spacetodepth_bf16(const SpaceDepthArguments a)
{
    for_each_run<bf16>(a.grid, SpaceDepth<bf16, true>{a});
}
#endif
