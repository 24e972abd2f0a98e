using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Loop bodies of the nearest-code search: sixteen codes side by side, four vectors at a time. Every distance is one chain in the order of the
/// channels.
/// </summary>
internal unsafe struct NearestCodeKernel
{
    private const int Together = 4;

    /// <summary>[M,D], rows apart by a stride.</summary>
    public float* X;

    public int XStride;

    /// <summary>[V,D], rows apart by a stride, and the same in panels [ceil(V/16),D,16].</summary>
    public float* Codebook, Panels;

    public int CodebookStride;

    /// <summary>[M].</summary>
    public int* Codes;

    /// <summary>Sizes.</summary>
    public int Rows, CodeCount, Width;

    /// <summary>Number of panels.</summary>
    public readonly int PanelCount => (CodeCount + Lanes.Count - 1) / Lanes.Count;

    /// <summary>Loop body over panels; codes that do not exist are infinitely far.</summary>
    public static void Pack(void* state, int start, int end, int worker)
    {
        NearestCodeKernel k = *(NearestCodeKernel*)state;
        for (int code = start * Lanes.Count; code < end * Lanes.Count; code++)
        {
            float* panel = k.Panels + ((nint)(code / Lanes.Count) * k.Width * Lanes.Count) + (code % Lanes.Count);
            for (int d = 0; d < k.Width; d++)
            {
                panel[d * Lanes.Count] = code < k.CodeCount ? k.Codebook[((nint)code * k.CodebookStride) + d] : float.PositiveInfinity;
            }
        }
    }

    /// <summary>Loop body over groups of four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Find(void* state, int start, int end, int worker)
    {
        NearestCodeKernel k = *(NearestCodeKernel*)state;
        for (int row = start * Together; row < Math.Min(end * Together, k.Rows); row += Together)
        {
            // A group that is not whole repeats its last vector.
            float* x0 = k.X + ((nint)row * k.XStride);
            float* x1 = k.X + ((nint)Math.Min(row + 1, k.Rows - 1) * k.XStride);
            float* x2 = k.X + ((nint)Math.Min(row + 2, k.Rows - 1) * k.XStride);
            float* x3 = k.X + ((nint)Math.Min(row + 3, k.Rows - 1) * k.XStride);
            Vector512<float> least0 = Vector512.Create(float.PositiveInfinity), least1 = least0, least2 = least0, least3 = least0;
            Vector512<int> at0 = Vector512<int>.Zero, at1 = at0, at2 = at0, at3 = at0;
            float* codes = k.Panels;
            for (int panel = 0; panel < k.PanelCount; panel++)
            {
                Vector512<float> d0 = Vector512<float>.Zero, d1 = d0, d2 = d0, d3 = d0;
                for (int d = 0; d < k.Width; d++, codes += Lanes.Count)
                {
                    Vector512<float> code = Vector512.Load(codes);
                    d0 = Add(d0, x0[d], code);
                    d1 = Add(d1, x1[d], code);
                    d2 = Add(d2, x2[d], code);
                    d3 = Add(d3, x3[d], code);
                }

                Vector512<int> here = Vector512.Create(panel);
                Take(d0, here, ref least0, ref at0);
                Take(d1, here, ref least1, ref at1);
                Take(d2, here, ref least2, ref at2);
                Take(d3, here, ref least3, ref at3);
            }

            int* found = k.Codes + row;
            int left = k.Rows - row;
            found[0] = Lowest(least0, at0);
            if (left > 1)
            {
                found[1] = Lowest(least1, at1);
            }

            if (left > 2)
            {
                found[2] = Lowest(least2, at2);
            }

            if (left > 3)
            {
                found[3] = Lowest(least3, at3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Add(Vector512<float> distance, float x, Vector512<float> code)
    {
        Vector512<float> difference = Vector512.Create(x) - code;
        return Vector512.FusedMultiplyAdd(difference, difference, distance);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(Vector512<float> distance, Vector512<int> panel, ref Vector512<float> least, ref Vector512<int> at)
    {
        Vector512<float> nearer = Vector512.LessThan(distance, least);
        least = Vector512.ConditionalSelect(nearer, distance, least);
        at = Vector512.ConditionalSelect(nearer.AsInt32(), panel, at);
    }

    /// <summary>The lowest code of the least distance.</summary>
    private static int Lowest(Vector512<float> least, Vector512<int> panels)
    {
        (float best, int code) = (least.GetElement(0), panels.GetElement(0) * Lanes.Count);
        for (int lane = 1; lane < Lanes.Count; lane++)
        {
            (float distance, int candidate) = (least.GetElement(lane), (panels.GetElement(lane) * Lanes.Count) + lane);
            if (distance < best || (distance == best && candidate < code))
            {
                (best, code) = (distance, candidate);
            }
        }

        return code;
    }
}
