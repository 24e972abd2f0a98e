using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>The kernels that launchers name are those of the sources, and take the arguments that launchers pass.</summary>
public sealed class KernelNameTests
{
    [Fact]
    public void EveryKernelIsDeclaredOnceWithTheSizeOfItsArguments()
    {
        // Every kernel exists on sm_80, those for bf16 included.
        CudaArchitecture architecture = new(8, 0);
        Dictionary<string, PtxEntry> compiled = new(StringComparer.Ordinal);
        foreach (string stem in KernelSources.Stems)
        {
            foreach (PtxEntry entry in PtxEntry.Of(TestCompilers.Compile(TestCompilers.All[0], stem, architecture)))
            {
                compiled.Add($"{stem}/{entry.Name}", entry);
            }
        }

        KernelName[] declared = [.. Declared()];
        Assert.Equal(compiled.Keys.Order(StringComparer.Ordinal), declared.Select(name => $"{name.Stem}/{name.Name}").Order(StringComparer.Ordinal));
        foreach (KernelName name in declared)
        {
            int wanted = compiled[$"{name.Stem}/{name.Name}"].ParameterBytes;
            Assert.True(
                name.ArgumentBytes == wanted,
                $"{name.Name}: the kernel takes {wanted} bytes of arguments, the launcher passes {name.ArgumentBytes}"
            );
        }
    }

    /// <summary>What the static fields of the backend declare, directly or within pairs, lists and other objects of the library.</summary>
    private static HashSet<KernelName> Declared()
    {
        HashSet<KernelName> names = [];
        foreach (FieldInfo field in typeof(CudaBackend).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
        {
            Collect(field.GetValue(null), names);
        }

        return names;
    }

    private static void Collect(object? value, HashSet<KernelName> names)
    {
        switch (value)
        {
            case null or string:
                break;
            case KernelName name:
                names.Add(name);
                break;
            case ITuple tuple:
                for (int i = 0; i < tuple.Length; i++)
                {
                    Collect(tuple[i], names);
                }

                break;
            case IEnumerable several:
                foreach (object? item in several)
                {
                    Collect(item, names);
                }

                break;
            default:
                Type type = value.GetType();
                foreach (
                    FieldInfo field in type.Assembly == typeof(CudaBackend).Assembly && !type.IsEnum
                        ? type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
                        : []
                )
                {
                    Collect(field.GetValue(value), names);
                }

                break;
        }
    }
}
