using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>
/// The modifiers of arithmetic instructions that mean something here, types aside. Any other, such as one of a later PTX version, would otherwise
/// be passed over and the result be wrong.
/// </summary>
internal static class KnownModifiers
{
    private const string Rounded = ".rn .rz .rm .rp .ftz ";
    private const string Approximate = ".approx .ftz";
    private const string Relations = ".eq .ne .lt .le .gt .ge .lo .ls .hi .hs .equ .neu .ltu .leu .gtu .geu .num .nan ";

    private static readonly Dictionary<string, string[]> Of = Table(
        ("add", Rounded + ".sat .cc"),
        ("sub", Rounded + ".sat .cc"),
        ("mul", Rounded + ".sat .lo .hi .wide"),
        ("mad", Rounded + ".sat .lo .hi .wide .cc"),
        ("fma", Rounded + ".sat .relu"),
        ("div", Rounded + ".approx .full"),
        ("rem", ""),
        ("min", ".ftz .NaN .xorsign .abs .relu"),
        ("max", ".ftz .NaN .xorsign .abs .relu"),
        ("abs", ".ftz"),
        ("neg", ".ftz"),
        ("addc", ".cc"),
        ("subc", ".cc"),
        ("madc", ".lo .hi .cc"),
        ("mul24", ".lo .hi"),
        ("mad24", ".lo .hi"),
        ("sad", ""),
        ("popc", ""),
        ("clz", ""),
        ("brev", ""),
        ("bfind", ".shiftamt"),
        ("bfe", ""),
        ("bfi", ""),
        ("fns", ""),
        ("prmt", ".f4e .b4e .rc8 .ecl .ecr .rc16"),
        ("lop3", ""),
        ("shf", ".l .r .clamp .wrap"),
        ("dp4a", ""),
        ("dp2a", ".lo .hi"),
        ("szext", ".clamp .wrap"),
        ("bmsk", ".clamp .wrap"),
        ("rcp", Rounded + Approximate),
        ("sqrt", Rounded + Approximate),
        ("rsqrt", Approximate),
        ("sin", Approximate),
        ("cos", Approximate),
        ("lg2", Approximate),
        ("ex2", Approximate),
        ("tanh", Approximate),
        ("copysign", ""),
        ("testp", ".finite .infinite .number .notanumber .normal .subnormal"),
        ("and", ""),
        ("or", ""),
        ("xor", ""),
        ("not", ""),
        ("cnot", ""),
        ("shl", ""),
        ("shr", ""),
        ("setp", Relations + ".and .or .xor .ftz"),
        ("set", Relations + ".and .or .xor .ftz"),
        ("selp", ""),
        ("slct", ".ftz"),
        ("cvt", Rounded + ".rni .rzi .rmi .rpi .rna .sat .relu .pack")
    );

    /// <exception cref="NotSupportedException">The instruction has another modifier.</exception>
    public static void Check(PtxInstruction instruction)
    {
        if (!Of.TryGetValue(instruction.Opcode, out string[]? known))
        {
            return;
        }

        foreach (string modifier in instruction.Modifiers)
        {
            if (!PtxType.TryParse(modifier, out _) && Array.IndexOf(known, modifier) < 0)
            {
                throw new NotSupportedException($"modifier {modifier} is not executed");
            }
        }

        bool isInteger = instruction.Types is [{ IsFloat: false, IsPredicate: false }, ..];
        if (isInteger && instruction.Has(".sat") && instruction.Opcode is not ("add" or "sub" or "cvt"))
        {
            throw new NotSupportedException("integers are held to their range in sums only");
        }
    }

    private static Dictionary<string, string[]> Table(params (string Opcode, string Modifiers)[] entries) =>
        entries.ToDictionary(e => e.Opcode, e => e.Modifiers.Split(' ', StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal);
}
