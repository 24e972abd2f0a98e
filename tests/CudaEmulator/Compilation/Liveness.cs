using System.Collections;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>For every register the stretch of code, in the order of the blocks, over which its value may be needed.</summary>
internal sealed class Liveness
{
    private readonly Aliases _aliases;
    private readonly Dictionary<PtxRegister, int> _numbers = [];
    private readonly List<(int First, int Last)> _ranges = [];

    private Liveness(Aliases aliases) => _aliases = aliases;

    /// <summary>Registers with their first and last position, in no particular order.</summary>
    public IEnumerable<(PtxRegister Register, int First, int Last)> Ranges =>
        _numbers.Select(entry => (entry.Key, _ranges[entry.Value].First, _ranges[entry.Value].Last));

    public static Liveness Of(IReadOnlyList<BasicBlock> blocks, Aliases aliases)
    {
        Liveness liveness = new(aliases);
        liveness.Analyse(blocks);
        return liveness;
    }

    private static IEnumerable<PtxInstruction> All(BasicBlock block) => block.EndInstruction is { } end ? block.Body.Append(end) : block.Body;

    private void Analyse(IReadOnlyList<BasicBlock> blocks)
    {
        foreach (BasicBlock block in blocks)
        {
            foreach (PtxInstruction instruction in All(block))
            {
                foreach (PtxRegister register in Written(instruction).Concat(Read(instruction)))
                {
                    Number(register);
                }
            }

            foreach (PtxRegister register in EndReads(block))
            {
                Number(register);
            }
        }

        int count = _numbers.Count;
        BitArray[] needed = [.. blocks.Select(_ => new BitArray(count))];
        BitArray[] killed = [.. blocks.Select(_ => new BitArray(count))];
        BitArray[] liveIn = [.. blocks.Select(_ => new BitArray(count))];
        BitArray[] liveOut = [.. blocks.Select(_ => new BitArray(count))];
        for (int b = 0; b < blocks.Count; b++)
        {
            foreach (PtxInstruction instruction in All(blocks[b]))
            {
                foreach (int register in Read(instruction).Select(Number).Where(r => !killed[b][r]))
                {
                    needed[b][register] = true;
                }

                // A guarded write leaves the old value in the lanes without the guard.
                foreach (int register in Written(instruction).Select(Number))
                {
                    if (instruction.Guard is null)
                    {
                        killed[b][register] = true;
                    }
                    else if (!killed[b][register])
                    {
                        needed[b][register] = true;
                    }
                }
            }

            foreach (int register in EndReads(blocks[b]).Select(Number).Where(r => !killed[b][r]))
            {
                needed[b][register] = true;
            }
        }

        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int b = blocks.Count - 1; b >= 0; b--)
            {
                foreach (BasicBlock next in blocks[b].Successors)
                {
                    liveOut[b].Or(liveIn[next.Order]);
                }

                BitArray now = new BitArray(killed[b]).Not().And(liveOut[b]).Or(needed[b]);
                if (!Same(now, liveIn[b]))
                {
                    liveIn[b] = now;
                    changed = true;
                }
            }
        }

        int position = 0;
        for (int b = 0; b < blocks.Count; b++)
        {
            Extend(liveIn[b], position);
            foreach (PtxInstruction instruction in All(blocks[b]))
            {
                foreach (PtxRegister register in Read(instruction).Concat(Written(instruction)))
                {
                    Extend(Number(register), position);
                }

                position++;
            }

            foreach (PtxRegister register in EndReads(blocks[b]))
            {
                Extend(Number(register), position);
            }

            Extend(liveOut[b], position);
            position++;
        }
    }

    private static bool Same(BitArray a, BitArray b)
    {
        BitArray difference = new BitArray(a).Xor(b);
        return !difference.HasAnySet();
    }

    private IEnumerable<PtxRegister> EndReads(BasicBlock block) => block.Predicate is { } predicate ? [predicate] : [];

    private IEnumerable<PtxRegister> Read(PtxInstruction instruction) =>
        _aliases.IsDropped(instruction) ? [] : OperandRoles.Read(instruction).Select(_aliases.Resolve).OfType<PtxRegister>();

    private IEnumerable<PtxRegister> Written(PtxInstruction instruction) => _aliases.IsDropped(instruction) ? [] : OperandRoles.Written(instruction);

    private int Number(PtxRegister register)
    {
        if (!_numbers.TryGetValue(register, out int number))
        {
            number = _numbers.Count;
            _numbers.Add(register, number);
            _ranges.Add((int.MaxValue, -1));
        }

        return number;
    }

    private void Extend(int register, int position) =>
        _ranges[register] = (Math.Min(_ranges[register].First, position), Math.Max(_ranges[register].Last, position));

    private void Extend(BitArray registers, int position)
    {
        for (int i = 0; i < registers.Count; i++)
        {
            if (registers[i])
            {
                Extend(i, position);
            }
        }
    }
}
