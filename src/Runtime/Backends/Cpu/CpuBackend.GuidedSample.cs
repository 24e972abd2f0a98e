namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.GuidedSample"/>
    public void GuidedSample(Tensor conditional, Tensor unconditional, in GuidedRows rows, NoiseAddress noise)
    {
        int codes = conditional.Columns;
        Require.GuidedRows(rows, noise);
        Require.Matrix(conditional, rows.ConditionalAt.IsNone ? RowCount(rows.Rows) : -1, -1);
        if (!unconditional.IsNone)
        {
            Require.Matrix(unconditional, rows.UnconditionalAt.IsNone ? conditional.Rows : -1, codes);
        }

        Sample(conditional, unconditional, rows, noise, 0, Live(rows.Rows));
    }

    /// <summary>Rows [first, end) of the list; row r of it stands in row r - first of inputs that are not mapped.</summary>
    private void Sample(Tensor conditional, Tensor unconditional, in GuidedRows rows, NoiseAddress noise, int first, int end)
    {
        nint* scratch = stackalloc nint[_team.Count];
        WorkerScratch(scratch, (nuint)GuidedRow.ScratchFloats(conditional.Columns) * sizeof(float));
        GuidedSampleArguments a = new()
        {
            Scratch = scratch,
            Conditional = conditional,
            Unconditional = unconditional,
            Rows = rows,
            First = first,
            Key = *(ulong*)noise.Key.Address,
            Step = (uint)noise.Step,
        };
        _team.For(end - first, &GuidedSampleRows, &a, Math.Max(1, 8192 / conditional.Columns));
    }

    private static void GuidedSampleRows(void* state, int start, int end, int worker)
    {
        GuidedSampleArguments* a = (GuidedSampleArguments*)state;
        float* scratch = (float*)a->Scratch[worker];
        double* actions = (double*)a->Rows.Actions.Address;
        int* conditionalAt = a->Rows.ConditionalAt.I32;
        int* unconditionalAt = a->Rows.UnconditionalAt.I32;
        for (int i = start; i < end; i++)
        {
            int place = a->Rows.Rows.I32[a->First + i];
            (int image, int position) = Math.DivRem(place, a->Rows.Codes);
            long conditionalRow = conditionalAt == null ? i : conditionalAt[place];
            long unconditionalRow = unconditionalAt == null ? i : unconditionalAt[place];
            float* c = a->Conditional.F32 + (conditionalRow * a->Conditional.RowStride);
            float* u = a->Unconditional.IsNone ? null : a->Unconditional.F32 + (unconditionalRow * a->Unconditional.RowStride);
            float inverse = 1f / (float)actions[(4 * image) + 1];
            GuidedRow row = new(c, u, (float)actions[(4 * image) + 3], a->Conditional.Columns, scratch);
            float logSum = row.LogSum(inverse);
            int token = row.Draw(inverse, a->Key, (uint)position, a->Step, (uint)a->Rows.Trajectories.I32[image]);
            float logProb = row.LogProb(row.Logits[token], inverse, logSum);
            a->Rows.Tokens.I32[place] = token;
            a->Rows.LogProb.F32[place] = logProb;

            // At temperature 1 both laws multiply by exactly 1: the same operations give the same bits.
            a->Rows.Confidence.F32[place] = inverse == 1f ? logProb : row.LogProb(row.Logits[token], 1f, row.LogSum(1f));
        }
    }

    private struct GuidedSampleArguments
    {
        public nint* Scratch;
        public Tensor Conditional;
        public Tensor Unconditional;
        public GuidedRows Rows;
        public int First;
        public ulong Key;
        public uint Step;
    }
}
