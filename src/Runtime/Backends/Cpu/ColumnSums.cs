using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Second half of a sum over rows: blocks of a fixed number of rows each leave a partial sum, and here the partial sums of a group
/// (an image, or the whole matrix) are added in block order. So the result depends on neither the thread count nor the other groups.
/// </summary>
internal static unsafe class ColumnSums
{
    /// <summary>Rows of a block.</summary>
    public const int BlockRows = 16;

    private const int ChunkColumns = 64;

    /// <summary>Blocks of a group of <paramref name="rows"/> rows.</summary>
    public static int Blocks(int rows) => (rows + BlockRows - 1) / BlockRows;

    /// <summary>
    /// first[g] += sum over k of partials[g,k,0], second[g] += sum over k of partials[g,k,1], where partials is [groups,blocks,parts,columns].
    /// A none destination is left out; with one part there is no second.
    /// </summary>
    public static void Accumulate(
        ThreadTeam team,
        float* partials,
        int groups,
        int blocks,
        int parts,
        int columns,
        Tensor first,
        Tensor second = default
    )
    {
        Job job = new()
        {
            Partials = partials,
            Blocks = blocks,
            Parts = parts,
            Columns = columns,
            Chunks = (columns + ChunkColumns - 1) / ChunkColumns,
            First = first.F32,
            FirstStride = first.RowStride,
            Second = second.F32,
            SecondStride = second.RowStride,
        };
        team.For(groups * parts * job.Chunks, &Job.Run, &job, Math.Max(1, 16384 / (blocks * ChunkColumns)));
    }

    private struct Job
    {
        public float* Partials, First, Second;
        public int Blocks, Parts, Columns, Chunks, FirstStride, SecondStride;

        public static void Run(void* state, int start, int end, int worker)
        {
            Job job = *(Job*)state;
            nint blockStride = (nint)job.Parts * job.Columns;
            for (int item = start; item < end; item++)
            {
                int chunk = item % job.Chunks;
                int part = item / job.Chunks % job.Parts;
                int group = item / job.Chunks / job.Parts;
                float* destination = part == 0 ? job.First : job.Second;
                if (destination == null)
                {
                    continue;
                }

                destination += (nint)group * (part == 0 ? job.FirstStride : job.SecondStride);
                float* source = job.Partials + (group * job.Blocks * blockStride) + ((nint)part * job.Columns);
                int last = Math.Min(job.Columns, (chunk + 1) * ChunkColumns);
                for (int c = chunk * ChunkColumns; c < last; c += Lanes.Count)
                {
                    Vector512<float> sum = Vector512<float>.Zero;
                    for (int k = 0; k < job.Blocks; k++)
                    {
                        sum += Lanes.Load(source + (k * blockStride) + c, last - c);
                    }

                    Lanes.Store(Lanes.Load(destination + c, last - c) + sum, destination + c, last - c);
                }
            }
        }
    }
}
