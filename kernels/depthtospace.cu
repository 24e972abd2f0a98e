// Pixels become 2x2 blocks of a quarter of their channels, the gradient of spacetodepth.cu: layout and geometry as spacedepth.cuh says.
//   x [B,h,w,4C], y [B,2h,2w,C] of T; pixels of x at and beyond *live are left alone
//   floor  2·B·h·w·4C·sizeof(T) bytes, no operation
#include "spacedepth.cuh"

template <typename T>
__device__ __forceinline__ void depthtospace(const SpaceDepthArguments& a)
{
    ElementGrid grid = a.grid;
    grid.rows = live_rows(a.live, grid.rows);
    for_each_run<T>(grid, SpaceDepth<T, false>{a});
}

extern "C" __global__ void __launch_bounds__(256) depthtospace_f32(const SpaceDepthArguments a)
{
    depthtospace<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) depthtospace_bf16(const SpaceDepthArguments a)
{
    depthtospace<bf16>(a);
}
#endif
