namespace CoGrpo.Runtime.Files.Torch;

/// <summary>The opcodes of Python's pickle format that describe data; what is not here is refused.</summary>
internal enum PickleOpcode : byte
{
    /// <summary>'(': a mark on the stack.</summary>
    Mark = 0x28,

    /// <summary>')': the empty tuple.</summary>
    EmptyTuple = 0x29,

    /// <summary>'.': the end.</summary>
    Stop = 0x2E,

    /// <summary>'B': bytes with a 32-bit length.</summary>
    Bytes = 0x42,

    /// <summary>'C': bytes with an 8-bit length.</summary>
    ShortBytes = 0x43,

    /// <summary>'G': a big-endian binary64.</summary>
    Float = 0x47,

    /// <summary>'J': a signed 32-bit integer.</summary>
    Int = 0x4A,

    /// <summary>'K': an unsigned byte.</summary>
    Int1 = 0x4B,

    /// <summary>'M': an unsigned 16-bit integer.</summary>
    Int2 = 0x4D,

    /// <summary>'N': None.</summary>
    None = 0x4E,

    /// <summary>'Q': an object stored outside the pickle.</summary>
    PersistentId = 0x51,

    /// <summary>'R': a call, here of a known rebuilding function.</summary>
    Reduce = 0x52,

    /// <summary>'X': text with a 32-bit length.</summary>
    Unicode = 0x58,

    /// <summary>']': a new list.</summary>
    EmptyList = 0x5D,

    /// <summary>'a': appends one value to a list.</summary>
    Append = 0x61,

    /// <summary>'b': sets an object's attributes.</summary>
    Build = 0x62,

    /// <summary>'c': a global by two lines of text.</summary>
    Global = 0x63,

    /// <summary>'e': appends the values above the mark to a list.</summary>
    Appends = 0x65,

    /// <summary>'h': the memo at an 8-bit index.</summary>
    Get = 0x68,

    /// <summary>'j': the memo at a 32-bit index.</summary>
    LongGet = 0x6A,

    /// <summary>'q': remembers the top at an 8-bit index.</summary>
    Put = 0x71,

    /// <summary>'r': remembers the top at a 32-bit index.</summary>
    LongPut = 0x72,

    /// <summary>'s': one entry of a dictionary.</summary>
    SetItem = 0x73,

    /// <summary>'t': a tuple of the values above the mark.</summary>
    Tuple = 0x74,

    /// <summary>'u': the entries above the mark of a dictionary.</summary>
    SetItems = 0x75,

    /// <summary>'}': a new dictionary.</summary>
    EmptyDictionary = 0x7D,

    /// <summary>The protocol, first of all.</summary>
    Protocol = 0x80,

    /// <summary>A tuple of one.</summary>
    Tuple1 = 0x85,

    /// <summary>A tuple of two.</summary>
    Tuple2 = 0x86,

    /// <summary>A tuple of three.</summary>
    Tuple3 = 0x87,

    /// <summary>True.</summary>
    True = 0x88,

    /// <summary>False.</summary>
    False = 0x89,

    /// <summary>An integer of up to 255 bytes.</summary>
    Long1 = 0x8A,

    /// <summary>Text with an 8-bit length.</summary>
    ShortUnicode = 0x8C,

    /// <summary>A global by two texts on the stack.</summary>
    StackGlobal = 0x93,

    /// <summary>Remembers the top at the next index.</summary>
    Memoize = 0x94,

    /// <summary>The length of what follows.</summary>
    Frame = 0x95,
}
