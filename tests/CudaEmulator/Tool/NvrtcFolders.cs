using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Tool;

/// <summary>The compilers that tests/get-nvrtc.sh puts beside the tests.</summary>
internal static class NvrtcFolders
{
    /// <summary>NVRTC 12.4 or 11.8 from tests/.nvrtc of the repository this assembly was built in, or null.</summary>
    public static Nvrtc? Find(string version)
    {
        string name = version == "11.8" ? "libnvrtc.so.11.2" : "libnvrtc.so.12";
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string file = Path.Combine(at.FullName, "tests", ".nvrtc", version, name);
            if (File.Exists(file))
            {
                return Nvrtc.Load(NativeLibrarySearch.For($"NVRTC {version}", [file], []));
            }
        }

        return null;
    }
}
