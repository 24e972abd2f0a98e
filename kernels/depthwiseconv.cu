// Depthwise 3x3 convolution, stride 2, zero padding 1.
//   forward   y[b,i,j,c] = bias[c] + Σ_p,q x[b,2i-1+p,2j-1+q,c] w[c,p,q]
//   backward  dx[b,k,l,c] := Σ dy[b,i,j,c] w[c,p,q] over 2i-1+p = k, 2j-1+q = l; dw[c,p,q] += Σ dy[b,i,j,c] x[b,2i-1+p,2j-1+q,c];
//             dbias[c] += Σ dy[b,i,j,c]; dx may be left out
//   x, dx [B,H,W,C], y, dy [B,ceil(H/2),ceil(W/2),C] of T, pixels apart by strides; w [C,1,3,3], bias [C] of T; dw, dbias fp32
//   floor     forward (B·H·W + B·h·w + 10)·C·sizeof(T) bytes and 18·B·h·w·C operations; backward (2·B·H·W + B·h·w)·C·sizeof(T) bytes
//             and 37·B·h·w·C operations
// A block takes some output rows of an image (all of them where they fit) in 32 channels and holds what it reads in shared memory in fp32,
// so that a pixel is read once though four outputs use it; eight threads own four channels each and 32 such teams take turns at the pixels.
// Where addresses are not aligned or three image rows do not fit, a thread owns a channel and reads pixels where it needs them.
// Backward blocks leave their parts of dw and dbias in workspaces [blocks,C,9] and [blocks,C] that columnsum.cu adds up in order.
#include "common.cuh"

constexpr int CONV_BLOCK = 256;
constexpr int CONV_CHANNELS = 32;
constexpr int CONV_PARTS = CONV_CHANNELS / 4;

struct DepthwiseConvArguments
{
    const void* x;
    const void* weight;
    const void* bias;
    void* y;
    int64 xStride;
    int64 yStride;
    int height;
    int width;
    int channels;
    int outHeight;
    int outWidth;
    int tileRows;
    int tiled;
};

struct DepthwiseConvBackwardArguments
{
    const void* dy;
    const void* x;
    const void* weight;
    void* dx;
    float* weightPartials;
    float* biasPartials;
    int64 dyStride;
    int64 xStride;
    int64 dxStride;
    int height;
    int width;
    int channels;
    int outHeight;
    int outWidth;
    int tileRows;
    int tiled;
};

extern __shared__ float4 conv_shared[];

// Rows [first, last) of an image in the block's channels, pixel by pixel, as CONV_PARTS runs of four floats.
template <typename T>
__device__ __forceinline__ void conv_load(float4* to, const void* image, int64 stride, int width, int first, int last, int channel, int channels)
{
    int part = threadIdx.x % CONV_PARTS;
    if (channel + part * 4 < channels)
    {
        for (int pixel = first * width + threadIdx.x / CONV_PARTS; pixel < last * width; pixel += CONV_BLOCK / CONV_PARTS)
        {
            float v[4];
            load_floats((const T*)image + pixel * stride + channel + part * 4, v);
            to[(pixel - first * width) * CONV_PARTS + part] = make_float4(v[0], v[1], v[2], v[3]);
        }
    }
}

// What the block's channels have of a parameter with so many values per channel, as it lies, in fp32.
template <typename T, int EACH>
__device__ __forceinline__ void conv_load_parameter(float* to, const void* parameter, int channel, int channels)
{
    int count = min(CONV_CHANNELS, channels - channel) * EACH;
    for (int i = threadIdx.x; i < count; i += CONV_BLOCK)
    {
        to[i] = to_float(((const T*)parameter)[channel * EACH + i]);
    }
}

// blockIdx: 32 channels, tile of output rows, image.
template <typename T>
__device__ __forceinline__ void conv_forward_tiled(const DepthwiseConvArguments& a)
{
    __shared__ float weights[CONV_CHANNELS * 9], biases[CONV_CHANNELS];
    int channel = blockIdx.x * CONV_CHANNELS, part = threadIdx.x % CONV_PARTS, c = channel + part * 4;
    int top = blockIdx.y * a.tileRows, bottom = min(top + a.tileRows, a.outHeight);
    int firstRow = max(2 * top - 1, 0), lastRow = min(2 * bottom, a.height);
    conv_load<T>(conv_shared, (const T*)a.x + (int64)blockIdx.z * a.height * a.width * a.xStride, a.xStride, a.width, firstRow, lastRow, channel, a.channels);
    conv_load_parameter<T, 9>(weights, a.weight, channel, a.channels);
    conv_load_parameter<T, 1>(biases, a.bias, channel, a.channels);
    __syncthreads();
    if (c >= a.channels)
    {
        return;
    }

    float w[9][4], bias[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        bias[i] = biases[part * 4 + i];
    }

#pragma unroll
    for (int tap = 0; tap < 9; tap++)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            w[tap][i] = weights[(part * 4 + i) * 9 + tap];
        }
    }

    T* y = (T*)a.y + (int64)blockIdx.z * a.outHeight * a.outWidth * a.yStride + c;
    for (int pixel = top * a.outWidth + threadIdx.x / CONV_PARTS; pixel < bottom * a.outWidth; pixel += CONV_BLOCK / CONV_PARTS)
    {
        int i = pixel / a.outWidth, j = pixel % a.outWidth;
        float sum[4] = {bias[0], bias[1], bias[2], bias[3]};
#pragma unroll
        for (int tap = 0; tap < 9; tap++)
        {
            int k = 2 * i - 1 + tap / 3, l = 2 * j - 1 + tap % 3;
            if (k >= 0 && k < a.height && l >= 0 && l < a.width)
            {
                float4 v = conv_shared[((k - firstRow) * a.width + l) * CONV_PARTS + part];
                sum[0] = fmaf(v.x, w[tap][0], sum[0]);
                sum[1] = fmaf(v.y, w[tap][1], sum[1]);
                sum[2] = fmaf(v.z, w[tap][2], sum[2]);
                sum[3] = fmaf(v.w, w[tap][3], sum[3]);
            }
        }

        store_floats(y + pixel * a.yStride, sum);
    }
}

// blockIdx: channels, tile of output rows, image.
template <typename T>
__device__ __forceinline__ void conv_forward_plain(const DepthwiseConvArguments& a)
{
    int c = blockIdx.x * CONV_BLOCK + threadIdx.x;
    if (c >= a.channels)
    {
        return;
    }

    int top = blockIdx.y * a.tileRows, bottom = min(top + a.tileRows, a.outHeight);
    const T* x = (const T*)a.x + (int64)blockIdx.z * a.height * a.width * a.xStride + c;
    T* y = (T*)a.y + (int64)blockIdx.z * a.outHeight * a.outWidth * a.yStride + c;
    float bias = to_float(((const T*)a.bias)[c]);
    for (int pixel = top * a.outWidth; pixel < bottom * a.outWidth; pixel++)
    {
        int i = pixel / a.outWidth, j = pixel % a.outWidth;
        float sum = bias;
        for (int tap = 0; tap < 9; tap++)
        {
            int k = 2 * i - 1 + tap / 3, l = 2 * j - 1 + tap % 3;
            if (k >= 0 && k < a.height && l >= 0 && l < a.width)
            {
                sum = fmaf(to_float(x[(k * a.width + l) * a.xStride]), to_float(((const T*)a.weight)[c * 9 + tap]), sum);
            }
        }

        y[pixel * a.yStride] = from_float<T>(sum);
    }
}

template <typename T>
__device__ __forceinline__ void conv_backward_tiled(const DepthwiseConvBackwardArguments& a)
{
    __shared__ float weights[CONV_CHANNELS * 9];
    constexpr int SUMS = CONV_CHANNELS * 10, WARPS = CONV_BLOCK / 32;
    int channel = blockIdx.x * CONV_CHANNELS, part = threadIdx.x % CONV_PARTS, c = channel + part * 4;
    int top = blockIdx.y * a.tileRows, bottom = min(top + a.tileRows, a.outHeight);

    // dx of rows [2 top, 2 bottom) takes dy of one row more.
    int firstRow = max(2 * top - 1, 0), lastRow = min(2 * bottom, a.height), dyBottom = min(bottom + 1, a.outHeight);

    // x comes first and makes room for the sums of the warps when they are complete.
    float4* dy = conv_shared + max((lastRow - firstRow) * a.width * CONV_PARTS, WARPS * SUMS / 4);
    float* sums = (float*)conv_shared;
    conv_load<T>(conv_shared, (const T*)a.x + (int64)blockIdx.z * a.height * a.width * a.xStride, a.xStride, a.width, firstRow, lastRow, channel, a.channels);
    conv_load<T>(dy, (const T*)a.dy + (int64)blockIdx.z * a.outHeight * a.outWidth * a.dyStride, a.dyStride, a.outWidth, top, dyBottom, channel, a.channels);
    conv_load_parameter<T, 9>(weights, a.weight, channel, a.channels);
    __syncthreads();
    float dw[10][4] = {};
    if (c < a.channels)
    {
        for (int pixel = top * a.outWidth + threadIdx.x / CONV_PARTS; pixel < bottom * a.outWidth; pixel += CONV_BLOCK / CONV_PARTS)
        {
            int i = pixel / a.outWidth, j = pixel % a.outWidth;
            float4 d = dy[(pixel - top * a.outWidth) * CONV_PARTS + part];
            dw[9][0] += d.x;
            dw[9][1] += d.y;
            dw[9][2] += d.z;
            dw[9][3] += d.w;
#pragma unroll
            for (int tap = 0; tap < 9; tap++)
            {
                int k = 2 * i - 1 + tap / 3, l = 2 * j - 1 + tap % 3;
                if (k >= 0 && k < a.height && l >= 0 && l < a.width)
                {
                    float4 v = conv_shared[((k - firstRow) * a.width + l) * CONV_PARTS + part];
                    dw[tap][0] = fmaf(d.x, v.x, dw[tap][0]);
                    dw[tap][1] = fmaf(d.y, v.y, dw[tap][1]);
                    dw[tap][2] = fmaf(d.z, v.z, dw[tap][2]);
                    dw[tap][3] = fmaf(d.w, v.w, dw[tap][3]);
                }
            }
        }
    }

    // Teams of a warp, then warps.
    __syncthreads();
#pragma unroll
    for (int tap = 0; tap < 10; tap++)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            float sum = dw[tap][i];
            sum += __shfl_xor_sync(WHOLE_WARP, sum, 8);
            sum += __shfl_xor_sync(WHOLE_WARP, sum, 16);
            if (threadIdx.x % 32 < CONV_PARTS)
            {
                sums[threadIdx.x / 32 * SUMS + (tap == 9 ? CONV_CHANNELS * 9 + part * 4 + i : (part * 4 + i) * 9 + tap)] = sum;
            }
        }
    }

    __syncthreads();
    int64 block = (int64)blockIdx.z * gridDim.y + blockIdx.y;
    int count = min(CONV_CHANNELS, a.channels - channel);
    for (int at = threadIdx.x; at < SUMS; at += CONV_BLOCK)
    {
        float sum = sums[at];
#pragma unroll
        for (int warp = 1; warp < WARPS; warp++)
        {
            sum += sums[warp * SUMS + at];
        }

        if (at < count * 9)
        {
            a.weightPartials[(block * a.channels + channel) * 9 + at] = sum;
        }
        else if (at >= CONV_CHANNELS * 9 && at < CONV_CHANNELS * 9 + count)
        {
            a.biasPartials[block * a.channels + channel + at - CONV_CHANNELS * 9] = sum;
        }
    }

    if (a.dx == nullptr || c >= a.channels)
    {
        return;
    }

    float w[9][4];
#pragma unroll
    for (int tap = 0; tap < 9; tap++)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            w[tap][i] = weights[(part * 4 + i) * 9 + tap];
        }
    }

    T* dx = (T*)a.dx + (int64)blockIdx.z * a.height * a.width * a.dxStride + c;
    for (int pixel = 2 * top * a.width + threadIdx.x / CONV_PARTS; pixel < lastRow * a.width; pixel += CONV_BLOCK / CONV_PARTS)
    {
        int k = pixel / a.width, l = pixel % a.width;
        float sum[4] = {};
#pragma unroll
        for (int tap = 0; tap < 9; tap++)
        {
            int i = k + 1 - tap / 3, j = l + 1 - tap % 3;
            if (((i | j) & 1) == 0 && i / 2 < a.outHeight && j / 2 < a.outWidth)
            {
                float4 d = dy[((i / 2 - top) * a.outWidth + j / 2) * CONV_PARTS + part];
                sum[0] = fmaf(d.x, w[tap][0], sum[0]);
                sum[1] = fmaf(d.y, w[tap][1], sum[1]);
                sum[2] = fmaf(d.z, w[tap][2], sum[2]);
                sum[3] = fmaf(d.w, w[tap][3], sum[3]);
            }
        }

        store_floats(dx + pixel * a.dxStride, sum);
    }
}

template <typename T>
__device__ __forceinline__ void conv_backward_plain(const DepthwiseConvBackwardArguments& a)
{
    int c = blockIdx.x * CONV_BLOCK + threadIdx.x;
    if (c >= a.channels)
    {
        return;
    }

    int top = blockIdx.y * a.tileRows, bottom = min(top + a.tileRows, a.outHeight);
    const T* x = (const T*)a.x + (int64)blockIdx.z * a.height * a.width * a.xStride + c;
    const T* dy = (const T*)a.dy + (int64)blockIdx.z * a.outHeight * a.outWidth * a.dyStride + c;
    float dw[9] = {}, dbias = 0;
    for (int pixel = top * a.outWidth; pixel < bottom * a.outWidth; pixel++)
    {
        int i = pixel / a.outWidth, j = pixel % a.outWidth;
        float d = to_float(dy[pixel * a.dyStride]);
        dbias += d;
#pragma unroll
        for (int tap = 0; tap < 9; tap++)
        {
            int k = 2 * i - 1 + tap / 3, l = 2 * j - 1 + tap % 3;
            if (k >= 0 && k < a.height && l >= 0 && l < a.width)
            {
                dw[tap] = fmaf(d, to_float(x[(k * a.width + l) * a.xStride]), dw[tap]);
            }
        }
    }

    int64 block = (int64)blockIdx.z * gridDim.y + blockIdx.y;
    a.biasPartials[block * a.channels + c] = dbias;
#pragma unroll
    for (int tap = 0; tap < 9; tap++)
    {
        a.weightPartials[(block * a.channels + c) * 9 + tap] = dw[tap];
    }

    if (a.dx == nullptr)
    {
        return;
    }

    T* dx = (T*)a.dx + (int64)blockIdx.z * a.height * a.width * a.dxStride + c;
    int last = min(2 * bottom, a.height) * a.width;
    for (int pixel = 2 * top * a.width; pixel < last; pixel++)
    {
        int k = pixel / a.width, l = pixel % a.width;
        float sum = 0;
        for (int tap = 0; tap < 9; tap++)
        {
            int i = k + 1 - tap / 3, j = l + 1 - tap % 3;
            if (((i | j) & 1) == 0 && i / 2 < a.outHeight && j / 2 < a.outWidth)
            {
                sum = fmaf(to_float(dy[(i / 2 * a.outWidth + j / 2) * a.dyStride]), to_float(((const T*)a.weight)[c * 9 + tap]), sum);
            }
        }

        dx[pixel * a.dxStride] = from_float<T>(sum);
    }
}

extern "C" __global__ void __launch_bounds__(CONV_BLOCK, 1) depthwiseconv_forward_f32(const DepthwiseConvArguments a)
{
    a.tiled ? conv_forward_tiled<float>(a) : conv_forward_plain<float>(a);
}

extern "C" __global__ void __launch_bounds__(CONV_BLOCK, 1) depthwiseconv_backward_f32(const DepthwiseConvBackwardArguments a)
{
    a.tiled ? conv_backward_tiled<float>(a) : conv_backward_plain<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(CONV_BLOCK, 1) depthwiseconv_forward_bf16(const DepthwiseConvArguments a)
{
    a.tiled ? conv_forward_tiled<bf16>(a) : conv_forward_plain<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(CONV_BLOCK, 1) depthwiseconv_backward_bf16(const DepthwiseConvBackwardArguments a)
{
    a.tiled ? conv_backward_tiled<bf16>(a) : conv_backward_plain<bf16>(a);
}
#endif
