using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>The kernels that launchers name are those of the sources, and take the arguments that launchers pass.</summary>
public sealed partial class KernelNameTests
{
    [Fact]
    public void EveryKernelIsDeclaredOnceWithTheSizeOfItsArguments()
    {
        // Every kernel exists on sm_80, those for bf16 included.
        CudaArchitecture architecture = new(8, 0);
        Dictionary<string, PtxEntry> compiled = KernelSources.Stems.SelectMany(stem => PtxEntry.Of(TestCompilers.Compile(TestCompilers.All[0], stem, architecture)).Select(entry => (stem, entry)))
            .ToDictionary(pair => $"{pair.stem}/{pair.entry.Name}", pair => pair.entry, StringComparer.Ordinal);
        Assert.Equal(Sources().Order(StringComparer.Ordinal), compiled.Keys.Order(StringComparer.Ordinal));

        KernelName[] declared = [.. Declared()];
        Assert.Equal(compiled.Keys.Order(StringComparer.Ordinal), declared.Select(name => $"{name.Stem}/{name.Name}").Order(StringComparer.Ordinal));
        foreach (KernelName name in declared)
        {
            int wanted = compiled[$"{name.Stem}/{name.Name}"].ParameterBytes;
            Assert.True(name.ArgumentBytes == wanted, $"{name.Name}: the kernel takes {wanted} bytes of arguments, the launcher passes {name.ArgumentBytes}");
        }
    }

    [Fact]
    public void NamesBeginWithTheirProgram()
    {
        foreach (KernelName name in Declared())
        {
            Assert.True(name.Name == name.Stem || name.Name.StartsWith(name.Stem + "_", StringComparison.Ordinal), $"kernel {name.Name} of {name.Stem}.cu");
        }
    }

    /// <summary>What the static fields of the backend declare.</summary>
    private static IEnumerable<KernelName> Declared()
    {
        foreach (FieldInfo field in typeof(CudaBackend).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
        {
            switch (field.GetValue(null))
            {
                case KernelName name:
                    yield return name;
                    break;
                case { } pair when field.FieldType.IsGenericType && field.FieldType.GetGenericTypeDefinition() == typeof(StorageKernelName<>):
                    foreach (PropertyInfo form in field.FieldType.GetProperties().Where(property => typeof(KernelName).IsAssignableFrom(property.PropertyType) && property.GetIndexParameters().Length == 0))
                    {
                        yield return (KernelName)form.GetValue(pair)!;
                    }

                    break;
                case IEnumerable several and not string:
                    foreach (KernelName name in several.OfType<KernelName>())
                    {
                        yield return name;
                    }

                    break;
            }
        }
    }

    /// <summary>Every kernel that a source defines, as program/name.</summary>
    private static IEnumerable<string> Sources() =>
        KernelSources.Stems.SelectMany(stem => Definition().Matches(KernelSources.Text(stem)).Select(match => $"{stem}/{match.Groups["name"].Value}"));

    [GeneratedRegex("""extern "C" __global__ void (?:__launch_bounds__\([^)]*\) )?(?<name>\w+)\(""")]
    private static partial Regex Definition();
}
