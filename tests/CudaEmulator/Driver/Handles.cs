using System.Collections.Concurrent;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>Numbers that the driver's callers hold for its objects.</summary>
internal static class Handles
{
    private static readonly ConcurrentDictionary<nint, object> Objects = new();
    private static long _next = 0x1000;

    public static nint Add(object value)
    {
        var handle = (nint)Interlocked.Add(ref _next, 16);
        Objects[handle] = value;
        return handle;
    }

    /// <summary>The object of a handle, or null if it is none of that type.</summary>
    public static T? Get<T>(nint handle)
        where T : class => Objects.TryGetValue(handle, out object? found) ? found as T : null;

    /// <summary>The handle of an object that has one.</summary>
    public static nint Of(object value) => Objects.First(entry => entry.Value == value).Key;

    public static void Remove(nint handle) => Objects.TryRemove(handle, out _);
}
