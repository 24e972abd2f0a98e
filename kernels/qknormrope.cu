// RMS norm over each head, then the rotary embedding with interleaved pairs (specs/meissonic.md): token l of image b goes to token row
// firstRow + l of y, the concatenation of text and image tokens.
//   forward   rstd = 1/sqrt(mean(x²) + eps) per head, n = x rstd, (y_2j, y_2j+1) = rotation by angle j of (n_2j w_2j, n_2j+1 w_2j+1)
//   backward  dn = rotation back of dy, g = dn w, dx := rstd (g - n mean(g·n)), dw += Σ_b,l,h dn · n
//   x, dx [B,L,H·D], y, dy [B,S,H·D] of T with row strides; w [D] of T; cos, sin [S,D/2] fp32 with row strides; rstd [B·L,H] fp32, saved
//   for backward; dw [D] fp32
//   floor     forward 2·M·H·D·sizeof(T) + 4·M·(D + H) bytes (M = B·L: a row of cos and sin serves all heads of a token, and stays in the
//             cache from image to image) and 8·M·H·D operations; backward 3·M·H·D·sizeof(T) + 4·M·(D + H) and 14·M·H·D
// A team of D/N lanes owns a token, N = 16 bytes of columns each, the same columns of every head: angles are read once, and four heads are
// under way at once. In fp32, where a team can be a whole warp, it takes a second token, so that weights stay few beside them. The team has
// to be a part of a warp: D/N is a power of two up to 32; else, and where addresses are not aligned, a warp owns a head and its lanes go
// through the pairs. The order of every sum over a head depends on D alone.
// Backward: a block takes a chunk of tokens of one image and leaves its part of dw in a workspace [B,chunks,D] that columnsum.cu adds up.
#include "common.cuh"

constexpr int ROPE_BLOCK = 128;
constexpr int ROPE_AT_ONCE = 4;

struct QkNormRopeArguments
{
    const void* x;
    const void* weight;
    const float* cos;
    const float* sin;
    void* y;
    float* rstd;
    int64 xStride;
    int64 cosStride;
    int64 sinStride;
    int64 yStride;
    int length;
    int tokens;
    int firstRow;
    int heads;
    int width;
    float epsilon;
    int team;
};

struct QkNormRopeBackwardArguments
{
    const void* dy;
    const void* x;
    const void* weight;
    const float* cos;
    const float* sin;
    const float* rstd;
    void* dx;
    float* partials;
    int64 dyStride;
    int64 xStride;
    int64 cosStride;
    int64 sinStride;
    int64 dxStride;
    int length;
    int tokens;
    int firstRow;
    int heads;
    int width;
    int chunk;
    int team;
};

// Sum over a team of lanes, the same bits in every one.
__device__ __forceinline__ float rope_team_sum(float x, int team)
{
    for (int offset = team / 2; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(WHOLE_WARP, x, offset);
    }

    return x;
}

// One token of a team; teams without one take part in the sums of their warp.
template <typename T>
__device__ __forceinline__ void qknormrope_forward_token(const QkNormRopeArguments& a, const float (&w)[Wide<T>::count], int token)
{
    constexpr int N = Wide<T>::count;
    int lane = threadIdx.x % a.team;
    bool wanted = token < a.length;
    token = min(token, a.length - 1);
    int64 row = (int64)blockIdx.y * a.length + token;
    int position = a.firstRow + token;
    const T* x = (const T*)a.x + row * a.xStride + lane * N;
    T* y = (T*)a.y + ((int64)blockIdx.y * a.tokens + position) * a.yStride + lane * N;
    float c[N / 2], s[N / 2];
    load_floats(a.cos + position * a.cosStride + lane * (N / 2), c);
    load_floats(a.sin + position * a.sinStride + lane * (N / 2), s);
    float saved = 0;
    for (int head = 0; head < a.heads; head += ROPE_AT_ONCE)
    {
        float v[ROPE_AT_ONCE][N];
#pragma unroll
        for (int h = 0; h < ROPE_AT_ONCE; h++)
        {
            if (head + h < a.heads)
            {
                load_floats(x + (head + h) * a.width, v[h]);
            }
        }

#pragma unroll
        for (int h = 0; h < ROPE_AT_ONCE; h++)
        {
            if (head + h < a.heads)
            {
                float square = 0;
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    square = fmaf(v[h][i], v[h][i], square);
                }

                float rstd = 1.0f / sqrtf(rope_team_sum(square, a.team) / a.width + a.epsilon);
                float turned[N];
#pragma unroll
                for (int j = 0; j < N; j += 2)
                {
                    float p = v[h][j] * rstd * w[j], q = v[h][j + 1] * rstd * w[j + 1];
                    turned[j] = p * c[j / 2] - q * s[j / 2];
                    turned[j + 1] = p * s[j / 2] + q * c[j / 2];
                }

                if (wanted)
                {
                    store_floats(y + (head + h) * a.width, turned);
                }

                // A lane per head keeps what is saved, so that a team writes it in one access.
                int owner = (head + h) % a.team;
                saved = owner == lane ? rstd : saved;
                if (wanted && lane <= owner && (owner == a.team - 1 || head + h == a.heads - 1))
                {
                    a.rstd[row * a.heads + head + h - owner + lane] = saved;
                }
            }
        }
    }
}

// blockIdx.y: image; blockIdx.x: sizeof(T) / 2 tokens for each of the block's teams.
template <typename T>
__device__ __forceinline__ void qknormrope_forward_teams(const QkNormRopeArguments& a)
{
    constexpr int N = Wide<T>::count, TOKENS = sizeof(T) / 2;
    int teams = ROPE_BLOCK / a.team;
    float w[N];
    load_floats((const T*)a.weight + threadIdx.x % a.team * N, w);
#pragma unroll 1
    for (int i = 0; i < TOKENS; i++)
    {
        qknormrope_forward_token<T>(a, w, (blockIdx.x * TOKENS + i) * teams + threadIdx.x / a.team);
    }
}

template <typename T>
__device__ __forceinline__ void qknormrope_forward_heads(const QkNormRopeArguments& a)
{
    int item = blockIdx.x * (ROPE_BLOCK / 32) + threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    int token = item / a.heads, head = item % a.heads;
    if (token >= a.length)
    {
        return;
    }

    int64 row = (int64)blockIdx.y * a.length + token;
    int position = a.firstRow + token;
    const T* x = (const T*)a.x + row * a.xStride + head * a.width;
    T* y = (T*)a.y + ((int64)blockIdx.y * a.tokens + position) * a.yStride + head * a.width;
    const T* weight = (const T*)a.weight;
    float square = 0;
    for (int d = lane; d < a.width; d += 32)
    {
        float v = to_float(x[d]);
        square = fmaf(v, v, square);
    }

    float rstd = 1.0f / sqrtf(warp_sum(square) / a.width + a.epsilon);
    if (lane == 0)
    {
        a.rstd[row * a.heads + head] = rstd;
    }

    for (int j = lane; j < a.width / 2; j += 32)
    {
        float c = a.cos[position * a.cosStride + j], s = a.sin[position * a.sinStride + j];
        float p = to_float(x[2 * j]) * rstd * to_float(weight[2 * j]), q = to_float(x[2 * j + 1]) * rstd * to_float(weight[2 * j + 1]);
        y[2 * j] = from_float<T>(p * c - q * s);
        y[2 * j + 1] = from_float<T>(p * s + q * c);
    }
}

// blockIdx.y: image; blockIdx.x: chunk of its tokens.
template <typename T>
__device__ __forceinline__ void qknormrope_backward_teams(const QkNormRopeBackwardArguments& a)
{
    constexpr int N = Wide<T>::count;
    constexpr int WARPS = ROPE_BLOCK / 32, QUADS = N / 4, PITCH = 32 * 4 + 16;
    __shared__ __align__(16) float sums[WARPS][QUADS * PITCH];
    int lane = threadIdx.x % a.team;
    int first = blockIdx.x * a.chunk;
    int last = min(first + a.chunk, a.length);
    float w[N], dw[N] = {};
    load_floats((const T*)a.weight + lane * N, w);
    int teams = ROPE_BLOCK / a.team;
    for (int base = first; base < last; base += teams)
    {
        int token = base + threadIdx.x / a.team;
        bool wanted = token < last;
        token = min(token, last - 1);
        int64 row = (int64)blockIdx.y * a.length + token;
        int position = a.firstRow + token;
        const T* x = (const T*)a.x + row * a.xStride + lane * N;
        const T* dy = (const T*)a.dy + ((int64)blockIdx.y * a.tokens + position) * a.dyStride + lane * N;
        T* dx = (T*)a.dx + row * a.dxStride + lane * N;
        float c[N / 2], s[N / 2];
        load_floats(a.cos + position * a.cosStride + lane * (N / 2), c);
        load_floats(a.sin + position * a.sinStride + lane * (N / 2), s);
        float saved = 0;
        for (int head = 0; head < a.heads; head += ROPE_AT_ONCE)
        {
            float n[ROPE_AT_ONCE][N], g[ROPE_AT_ONCE][N];
#pragma unroll
            for (int h = 0; h < ROPE_AT_ONCE; h++)
            {
                if (head + h < a.heads)
                {
                    load_floats(x + (head + h) * a.width, n[h]);
                    load_floats(dy + (head + h) * a.width, g[h]);
                }
            }

#pragma unroll
            for (int h = 0; h < ROPE_AT_ONCE; h++)
            {
                if (head + h < a.heads)
                {
                    int owner = (head + h) % a.team;
                    if (owner == 0)
                    {
                        int ahead = head + h + lane;
                        saved = ahead < a.heads ? a.rstd[row * a.heads + ahead] : 0;
                    }

                    float rstd = __shfl_sync(WHOLE_WARP, saved, owner, a.team);
                    float product = 0;
#pragma unroll
                    for (int j = 0; j < N; j += 2)
                    {
                        float p = g[h][j], q = g[h][j + 1];
                        g[h][j] = p * c[j / 2] + q * s[j / 2];
                        g[h][j + 1] = q * c[j / 2] - p * s[j / 2];
                    }

#pragma unroll
                    for (int i = 0; i < N; i++)
                    {
                        n[h][i] *= rstd;
                        dw[i] = fmaf(wanted ? g[h][i] : 0, n[h][i], dw[i]);
                        g[h][i] *= w[i];
                        product = fmaf(g[h][i], n[h][i], product);
                    }

                    float mean = rope_team_sum(product, a.team) / a.width;
#pragma unroll
                    for (int i = 0; i < N; i++)
                    {
                        g[h][i] = rstd * fmaf(-n[h][i], mean, g[h][i]);
                    }

                    if (wanted)
                    {
                        store_floats(dx + (head + h) * a.width, g[h]);
                    }
                }
            }
        }
    }

    if (a.partials == nullptr)
    {
        return;
    }

    // Teams of a warp, then warps.
    for (int offset = a.team; offset < 32; offset <<= 1)
    {
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            dw[i] += __shfl_xor_sync(WHOLE_WARP, dw[i], offset);
        }
    }

    // Runs of four of all lanes, then their second runs, in other banks.
    if (threadIdx.x % 32 < a.team)
    {
#pragma unroll
        for (int quad = 0; quad < QUADS; quad++)
        {
            *(float4*)(sums[threadIdx.x / 32] + quad * PITCH + lane * 4) = make_float4(dw[4 * quad], dw[4 * quad + 1], dw[4 * quad + 2], dw[4 * quad + 3]);
        }
    }

    __syncthreads();
    for (int d = threadIdx.x; d < a.width; d += ROPE_BLOCK)
    {
        int at = d % N / 4 * PITCH + d / N * 4 + d % 4;
        float sum = sums[0][at];
#pragma unroll
        for (int warp = 1; warp < WARPS; warp++)
        {
            sum += sums[warp][at];
        }

        a.partials[((int64)blockIdx.y * gridDim.x + blockIdx.x) * a.width + d] = sum;
    }
}

template <typename T>
__device__ __forceinline__ void qknormrope_backward_heads(const QkNormRopeBackwardArguments& a)
{
    int lane = threadIdx.x % 32;
    int first = blockIdx.x * a.chunk;
    int last = min(first + a.chunk, a.length);
    const T* weight = (const T*)a.weight;
    for (int item = first * a.heads + threadIdx.x / 32; item < last * a.heads; item += ROPE_BLOCK / 32)
    {
        int token = item / a.heads, head = item % a.heads;
        int64 row = (int64)blockIdx.y * a.length + token;
        int position = a.firstRow + token;
        const T* x = (const T*)a.x + row * a.xStride + head * a.width;
        const T* dy = (const T*)a.dy + ((int64)blockIdx.y * a.tokens + position) * a.dyStride + head * a.width;
        T* dx = (T*)a.dx + row * a.dxStride + head * a.width;
        float rstd = a.rstd[row * a.heads + head];
        float mean = 0;
#pragma unroll 1
        for (int pass = 0; pass < 2; pass++)
        {
            float product = 0;
            for (int j = lane; j < a.width / 2; j += 32)
            {
                float c = a.cos[position * a.cosStride + j], s = a.sin[position * a.sinStride + j];
                float p = to_float(dy[2 * j]), q = to_float(dy[2 * j + 1]);
                float g0 = (p * c + q * s) * to_float(weight[2 * j]), g1 = (q * c - p * s) * to_float(weight[2 * j + 1]);
                float n0 = to_float(x[2 * j]) * rstd, n1 = to_float(x[2 * j + 1]) * rstd;
                product = fmaf(g0, n0, fmaf(g1, n1, product));
                if (pass == 1)
                {
                    dx[2 * j] = from_float<T>(rstd * fmaf(-n0, mean, g0));
                    dx[2 * j + 1] = from_float<T>(rstd * fmaf(-n1, mean, g1));
                }
            }

            mean = warp_sum(product) / a.width;
        }
    }

    if (a.partials == nullptr)
    {
        return;
    }

    // A thread owns pairs of the weight and goes through all heads of the chunk in order.
    for (int j = threadIdx.x; j < a.width / 2; j += ROPE_BLOCK)
    {
        float sum0 = 0, sum1 = 0;
        for (int item = first * a.heads; item < last * a.heads; item++)
        {
            int token = item / a.heads, head = item % a.heads;
            int64 row = (int64)blockIdx.y * a.length + token;
            int position = a.firstRow + token;
            const T* x = (const T*)a.x + row * a.xStride + head * a.width;
            const T* dy = (const T*)a.dy + ((int64)blockIdx.y * a.tokens + position) * a.dyStride + head * a.width;
            float c = a.cos[position * a.cosStride + j], s = a.sin[position * a.sinStride + j];
            float p = to_float(dy[2 * j]), q = to_float(dy[2 * j + 1]), rstd = a.rstd[row * a.heads + head];
            sum0 = fmaf(p * c + q * s, to_float(x[2 * j]) * rstd, sum0);
            sum1 = fmaf(q * c - p * s, to_float(x[2 * j + 1]) * rstd, sum1);
        }

        float* partials = a.partials + ((int64)blockIdx.y * gridDim.x + blockIdx.x) * a.width;
        partials[2 * j] = sum0;
        partials[2 * j + 1] = sum1;
    }
}

extern "C" __global__ void __launch_bounds__(ROPE_BLOCK, 4) qknormrope_forward_f32(const QkNormRopeArguments a)
{
    a.team ? qknormrope_forward_teams<float>(a) : qknormrope_forward_heads<float>(a);
}

extern "C" __global__ void __launch_bounds__(ROPE_BLOCK, 4) qknormrope_backward_f32(const QkNormRopeBackwardArguments a)
{
    a.team ? qknormrope_backward_teams<float>(a) : qknormrope_backward_heads<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(ROPE_BLOCK, 4) qknormrope_forward_bf16(const QkNormRopeArguments a)
{
    a.team ? qknormrope_forward_teams<bf16>(a) : qknormrope_forward_heads<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(ROPE_BLOCK, 4) qknormrope_backward_bf16(const QkNormRopeBackwardArguments a)
{
    a.team ? qknormrope_backward_teams<bf16>(a) : qknormrope_backward_heads<bf16>(a);
}
#endif
