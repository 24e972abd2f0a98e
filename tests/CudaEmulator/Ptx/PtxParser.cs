using System.Globalization;

namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>Reads PTX text as NVRTC and people write it, up to version 8.4: the module level here, function bodies in the other part.</summary>
internal sealed partial class PtxParser
{
    private readonly PtxTokenizer _tokenizer;
    private readonly PtxModule _module = new();
    private PtxToken _token;
    private PtxToken _ahead;
    private bool _hasAhead;

    private PtxParser(string text)
    {
        _tokenizer = new PtxTokenizer(text);
        _token = _tokenizer.Next();
    }

    /// <exception cref="PtxException">The text is damaged, or uses what is not supported.</exception>
    public static PtxModule Parse(string text)
    {
        PtxParser parser = new(text);
        parser.ReadModule();
        return parser._module;
    }

    private void ReadModule()
    {
        while (_token.Kind != PtxTokenKind.End)
        {
            if (_token.Is(';'))
            {
                Advance();
                continue;
            }

            if (_token.Kind != PtxTokenKind.Dotted)
            {
                throw Unexpected("a directive");
            }

            switch (_token.Text)
            {
                case ".version":
                    Advance();
                    _module.Version = (int)Math.Round(10 * double.Parse(Expect(PtxTokenKind.Number).Text, CultureInfo.InvariantCulture));
                    break;
                case ".target":
                    ReadTarget();
                    break;
                case ".address_size":
                    Advance();
                    if (Expect(PtxTokenKind.Number).Text != "64")
                    {
                        throw new PtxException(_token.Line, "address size: wanted 64");
                    }

                    break;
                case ".file":
                    ReadFile();
                    break;
                case ".section":
                    SkipSection();
                    break;
                case ".pragma" or ".alias":
                    SkipTo(';');
                    break;
                default:
                    ReadDeclaration();
                    break;
            }
        }

        if (_module.Version == 0 || _module.Target == 0)
        {
            throw new PtxException(1, "wanted .version and .target");
        }
    }

    private void ReadTarget()
    {
        Advance();
        string target = Expect(PtxTokenKind.Name).Text;
        if (!target.StartsWith("sm_", StringComparison.Ordinal))
        {
            throw new PtxException(_token.Line, $".target: wanted sm_ and a number, got {target}");
        }

        string digits = target[3..];
        _module.TargetIsExact = digits.EndsWith('a');
        _module.Target = int.Parse(digits.TrimEnd('a'), CultureInfo.InvariantCulture);
        while (_token.Is(','))
        {
            Advance();
            Advance();
        }
    }

    private void ReadFile()
    {
        Advance();
        int number = int.Parse(Expect(PtxTokenKind.Number).Text, CultureInfo.InvariantCulture);
        _module.Files[number] = Expect(PtxTokenKind.Text).Text;

        // Time stamp and size may follow.
        while (_token.Is(','))
        {
            Advance();
            Advance();
        }
    }

    private void SkipSection()
    {
        Advance();
        Advance();
        int depth = 0;
        do
        {
            depth += _token.Is('{') ? 1 : _token.Is('}') ? -1 : 0;
            if (_token.Kind == PtxTokenKind.End)
            {
                throw Unexpected("a closing brace");
            }

            Advance();
        }
        while (depth > 0);
    }

    private void ReadDeclaration()
    {
        bool external = false;
        while (_token.Kind == PtxTokenKind.Dotted && _token.Text is ".visible" or ".extern" or ".weak" or ".common" or ".noreturn" or ".attribute")
        {
            external |= _token.Is(".extern");
            bool arguments = _token.Is(".attribute");
            Advance();
            if (arguments)
            {
                SkipBrackets();
            }
        }

        switch (_token.Text)
        {
            case ".entry":
            case ".func":
                ReadFunction();
                break;
            case ".global":
                ReadVariables(PtxSpace.Global, external, AddVariable);
                break;
            case ".const":
                ReadVariables(PtxSpace.Constant, external, AddVariable);
                break;
            case ".shared":
                ReadVariables(PtxSpace.Shared, external, AddVariable);
                break;
            case ".local":
                ReadVariables(PtxSpace.Local, external, AddVariable);
                break;
            default:
                throw Unexpected("a declaration");
        }
    }

    private void AddVariable(PtxVariable variable)
    {
        // A declaration may stand beside the definition.
        if (!_module.Variables.TryGetValue(variable.Name, out PtxVariable? known) || known.IsExternal)
        {
            _module.Variables[variable.Name] = variable;
        }
    }

    /// <summary>Reads <c>.space .align 4 .b8 name[20] = {…}, name2;</c>.</summary>
    private void ReadVariables(PtxSpace space, bool external, Action<PtxVariable> add)
    {
        Advance();
        (PtxType type, int alignment, int width) = ReadVariableType();
        while (true)
        {
            add(ReadVariable(space, external, type, alignment, width));
            if (!_token.Is(','))
            {
                break;
            }

            Advance();
        }

        Expect(';');
    }

    /// <summary>Alignment, vector width and element type, in the order they come in.</summary>
    private (PtxType Type, int Alignment, int Width) ReadVariableType()
    {
        int alignment = 0;
        int width = 1;
        PtxType type = default;
        bool known = false;
        while (_token.Kind == PtxTokenKind.Dotted)
        {
            string text = _token.Text;
            int line = _token.Line;
            Advance();
            if (text == ".align")
            {
                alignment = int.Parse(Expect(PtxTokenKind.Number).Text, CultureInfo.InvariantCulture);
            }
            else if (text is ".v2" or ".v4")
            {
                width = text[2] - '0';
            }
            else if (PtxType.TryParse(text, out PtxType parsed))
            {
                (type, known) = (parsed, true);
            }
            else if (text is not (".ptr" or ".global" or ".shared" or ".const" or ".local" or ".reg" or ".param"))
            {
                throw new PtxException(line, $"variables of kind {text} are not supported");
            }
        }

        if (!known)
        {
            throw Unexpected("a type");
        }

        return (type, alignment == 0 ? Math.Max(1, type.Bytes * width) : alignment, width);
    }

    private PtxVariable ReadVariable(PtxSpace space, bool external, PtxType type, int alignment, int width)
    {
        string name = Expect(PtxTokenKind.Name).Text;
        long count = width;
        bool open = false;
        while (_token.Is('['))
        {
            Advance();
            if (_token.Is(']'))
            {
                open = true;
            }
            else
            {
                count *= (long)ParseInteger(Expect(PtxTokenKind.Number));
            }

            Expect(']');
        }

        byte[]? initial = null;
        List<(int, string, long, bool)> relocations = [];
        if (_token.Is('='))
        {
            Advance();
            List<byte> bytes = [];
            ReadInitialiser(type, bytes, relocations);
            initial = [.. bytes];
            if (open)
            {
                count = initial.Length / type.Bytes;
                open = false;
            }
        }

        return new PtxVariable
        {
            Name = name,
            Space = space,
            Type = type,
            Alignment = alignment,
            Bytes = open ? 0 : count * type.Bytes,
            IsExternal = external,
            Initial = initial,
            Relocations = relocations,
        };
    }

    private void ReadInitialiser(PtxType type, List<byte> bytes, List<(int Offset, string Symbol, long Addend, bool Generic)> relocations)
    {
        if (_token.Is('{'))
        {
            Advance();
            while (!_token.Is('}'))
            {
                ReadInitialiser(type, bytes, relocations);
                if (_token.Is(','))
                {
                    Advance();
                }
            }

            Advance();
            return;
        }

        int line = _token.Line;
        switch (ReadOperand(new PtxScope(null)))
        {
            case PtxOperand.Immediate value:
                ulong bits =
                    value.Form == ImmediateForm.Double && type.Bytes == 4
                        ? BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(value.Bits))
                    : value.Form == ImmediateForm.Single && type.Bytes == 8
                        ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)value.Bits))
                    : value.Bits;
                for (int i = 0; i < type.Bytes; i++)
                {
                    bytes.Add((byte)(bits >> (8 * i)));
                }

                break;
            case PtxOperand.Symbol { Name: "generic" }:
                Expect('(');
                var inner = (PtxOperand.Symbol)ReadOperand(new PtxScope(null));
                Expect(')');
                relocations.Add((bytes.Count, inner.Name, inner.Offset, true));
                bytes.AddRange(new byte[type.Bytes]);
                break;
            case PtxOperand.Symbol symbol when type.Bytes == 8:
                relocations.Add((bytes.Count, symbol.Name, symbol.Offset, false));
                bytes.AddRange(new byte[8]);
                break;
            default:
                throw new PtxException(line, "initialiser: wanted a number or the address of a variable as .u64");
        }
    }

    private void ReadFunction()
    {
        bool kernel = _token.Is(".entry");
        int line = _token.Line;
        Advance();
        while (_token.Kind == PtxTokenKind.Dotted)
        {
            Advance();
        }

        List<PtxVariable> results = _token.Is('(') ? ReadParameters() : [];
        string name = Expect(PtxTokenKind.Name).Text;
        List<PtxVariable> parameters = _token.Is('(') ? ReadParameters() : [];
        Dictionary<string, int[]> limits = new(StringComparer.Ordinal);
        while (_token.Kind == PtxTokenKind.Dotted)
        {
            string directive = _token.Text;
            Advance();
            List<int> numbers = [];
            while (_token.Kind is PtxTokenKind.Number or PtxTokenKind.Text || _token.Is(','))
            {
                if (_token.Kind == PtxTokenKind.Number)
                {
                    numbers.Add((int)ParseInteger(_token));
                }

                Advance();
            }

            limits[directive] = [.. numbers];
        }

        PtxFunction function;
        if (_token.Is('{'))
        {
            Body body = ReadBody(parameters, results);
            function = new PtxFunction
            {
                Name = name,
                IsKernel = kernel,
                Parameters = parameters,
                Results = results,
                HasBody = true,
                Instructions = body.Instructions,
                Variables = body.Variables,
                Limits = limits,
                Line = line,
            };
        }
        else
        {
            if (_token.Is(';'))
            {
                Advance();
            }

            function = new PtxFunction
            {
                Name = name,
                IsKernel = kernel,
                Parameters = parameters,
                Results = results,
                HasBody = false,
                Instructions = [],
                Variables = [],
                Limits = limits,
                Line = line,
            };
        }

        if (function.HasBody || !_module.Functions.ContainsKey(name))
        {
            _module.Functions[name] = function;
        }
    }

    private List<PtxVariable> ReadParameters()
    {
        List<PtxVariable> parameters = [];
        Expect('(');
        while (!_token.Is(')'))
        {
            (PtxType type, int alignment, int width) = ReadVariableType();
            parameters.Add(ReadVariable(PtxSpace.Parameter, false, type, alignment, width));
            if (_token.Is(','))
            {
                Advance();
            }
        }

        Advance();
        return parameters;
    }

    private void SkipBrackets()
    {
        int depth = 0;
        do
        {
            depth += _token.Is('(') ? 1 : _token.Is(')') ? -1 : 0;
            Advance();
        }
        while (depth > 0 && _token.Kind != PtxTokenKind.End);
    }

    private void SkipTo(char symbol)
    {
        while (!_token.Is(symbol) && _token.Kind != PtxTokenKind.End)
        {
            Advance();
        }

        Advance();
    }

    private PtxToken Peek()
    {
        if (!_hasAhead)
        {
            _ahead = _tokenizer.Next();
            _hasAhead = true;
        }

        return _ahead;
    }

    private void Advance()
    {
        _token = _hasAhead ? _ahead : _tokenizer.Next();
        _hasAhead = false;
    }

    private PtxToken Expect(PtxTokenKind kind)
    {
        PtxToken token = _token;
        if (token.Kind != kind)
        {
            throw Unexpected($"a {kind.ToString().ToLowerInvariant()}");
        }

        Advance();
        return token;
    }

    private void Expect(char symbol)
    {
        if (!_token.Is(symbol))
        {
            throw Unexpected($"«{symbol}»");
        }

        Advance();
    }

    private PtxException Unexpected(string wanted) => new(_token.Line, $"wanted {wanted}, found «{_token.Text}»");
}
