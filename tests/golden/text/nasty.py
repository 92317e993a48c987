"""Strings that tokenizers stumble over."""

# fmt: off
WHITE = [
    "", " ", "  ", "   ", " " * 17, "\n", "\n\n", "\n\n\n\n", " \n", "\n ", " \n ", "\t", "\t\t x", "\r", "\r\n", "\r\n\r\n",
    "\n\r", "a\r\nb\r\n", "a\rb", "x \n\n y", "x  \r\n  y", "  leading", "trailing  ", "trailing\n", "tab\tbetween", "\x0b\x0c",
    "a\x0bb", "\x85next", "a\xa0b", "\xa0\xa0", "\u1680", "\u2003em", "a\u2003 \u2003b", "\u2028line\u2029paragraph", "\u202fnarrow",
    "\u205f", "\u3000wide\u3000", "\u180evowel", "\u200bzero\u200b", "\ufeffmark", "a \ufeff", "\u2060", "    indented\n        more\n",
    "if x:\n    return\n\n\n", "\n \n \n", " \t \n\t ", "x\n" * 5, "y \n" * 4, "end \n", "\x1c\x1d\x1e\x1f x",
]
CONTROL = [
    "\x00", "a\x00b", "\x01\x02\x03", "\x1b[31mred\x1b[0m", "\x7f", "\x80\x9f", "\x08backspace", "\ufffd", "\ufffe", "\uffff",
    "\U0010ffff", "\U000e0001tag", "\ue000private", "\U000f0000", "\ufff9note\ufffa", "\u061c", "\u202eright\u202c", "\u2066x\u2069",
]
WORDS = [
    "Hello", "hello world", " hello", "HELLO", "hElLo wOrLd", "a", "ab", "abc " * 6, "together", " together", "don't", "DON'T", "Don'T",
    "I'll we've you're he'd I'm it's", "I'LL WE'VE YOU'RE", "'s", "'S", " 's", "''s", "'tis", "'re're", "'ll'd'm", "rock'n'roll",
    "o\u2019clock", "don\u2019t", "'\u017f", "'\u212a", "it's'", "x'", "'x", "''''", "a'b'c", "1's", "!'s", "\n's", "'\u00e9", "l'\u00e9t\u00e9",
    "snake_case", "camelCase", "PascalCase", "kebab-case", "__init__", "_a", "a_", "foo.bar(baz)[0]", "x=1;y=2", "e.g.", "U.S.A.",
    "a...b", "--flag", "->", "=>", "!=", "===", "&&", "||", "<br/>", "</div>", "#tag", "@user", "$100", "50%", "C:\\dir\\file", "/usr/bin",
    "https://example.com/a?b=c&d=%20#e", "user@example.com", "(a)*(a)*", "[x]", "{y}", "^$", "\\", "\\n", "`code`", "***", "!!!???", "\u2026",
    "\u2014\u2013-", "\u201cquoted\u201d", "\u00abguillemets\u00bb", "\u00bfqu\u00e9?", "New York", "New Yorker", "New York City", "NewYork City",
    "sing", "ing", "ing ing", "testing-ing", "ing\u0301", "\u0301ing", "\u00b2ing", "ing\u203f", "ing\u200d", "\u24b6ing", "xx", "xaxbx", "fade deaf bed",
]
NUMBERS = [
    "0", "1", "12", "123", "1234", "12345", "123456", "1234567890", "a1b2c3", "3.14159", "1,000,000", "1e-10", "0x1F", "2024-01-31", "12:34:56",
    "1st 2nd", " 42", "  42", "4 2", "\u00bd\u00bc", "\u2167", "\u2460\u2461", "x\u00b2+y\u00b3", "\u0663\u0664\u0665", "\u0967\u0968\u0969\u096a",
    "\uff11\uff12\uff13\uff14", "\u4e00\u4e8c\u4e09", "\U0001d7d8\U0001d7d9\U0001d7da\U0001d7db", "\U0001ccf0\U0001ccf1", "\U00011de0\U00011de1", "-5", "+5", "5%",
]
LATIN = [
    "caf\u00e9", "cafe\u0301", "na\u00efve", "\u00c5ngstr\u00f6m", "A\u030angstro\u0308m", "\u212bngstrom", "stra\u00dfe", "STRASSE \u1e9e", "\u0130stanbul",
    "\u0131", "\ufb01ligature", "\u01c4\u01c5\u01c6", "\u00e9t\u00e9", "e\u0301te\u0301", "e\u0301t\u00e9", "\u00e0 \u00e0", " a\u0300 ", "\u1e69 s\u0323\u0307 s\u0307\u0323",
    "ka\u1e69", "kas\u0323\u0307", "s\u0307\u0323ts\u0323\u0307", "\u1e69t\u1e69s", "\u0344 \u0308\u0301", "q\u0307\u0323", "Z\u0337\u0322\u031ba\u0334l\u0335", "a\u0327\u0301\u0327\u0301", "\u0301", " \u0301", "\u0301\u0301", "\u0345\u0301", "\u2126 \u03a9",
    "\u00aa \u00ba", "\u2102\u2115", "\uff21\uff42", "\u0100\u0102\u0104", "\u0120is\u010a", "\u1f71 \u03ac", "d\u0323\u0307\u0307",
]
SCRIPTS = [
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0419 \u0418\u0306", "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5", " \u03ba\u03b1\u03b9",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\ufb2a \u05e9\u05c1", "\u0645\u0631\u062d\u0628\u0627", "\u0627\u0644\u0633\u0651\u064e\u0644\u064e\u0627\u0645\u064f",
    "\u0633\u0644\u0627\u0645\u200c\u062f\u0646\u06cc\u0627", "\u0628\u064e\u0651\u0628\u0651\u064e", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u0915\u093c \u0958", "\u09b9\u09cd\u09af\u09be\u09b2\u09cb", "\u0b95\u0bca \u0b95\u0bc6\u0bbe",
    "\u0c39\u0c32\u0c4b", "\u0cb9\u0cb2\u0ccb", "\u0d39\u0d32\u0d4b", "\u0dc3\u0dd2\u0d82", "\u0dd9\u0dcf\u0dca", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", "\u0e33", "\u0eaa\u0eb0\u0e9a\u0eb2\u0e8d\u0e94\u0eb5",
    "\u0f56\u0f7c\u0f51", "\u0f71\u0f72 \u0f73", "\u1019\u1004\u103a\u1039\u1002\u101c\u102c\u1015\u102b", "\u1025\u102e \u1026", "\u10d2\u10d0\u10db", "\u0532\u0561\u0580\u0565\u0582", "\u1230\u120b\u121d", "\u13e3\u13b3\u13a9", "\u1403\u14c4\u1483",
    "\u1781\u17d2\u1798\u17c2\u179a", "\u182e\u1823\u1829", "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\u4e2d\u56fd", "\u4e2d\u56fd\u4eba", "\u6211\u7231\u4e2d\u56fd \u5317\u4eac", "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c",
    "\u30ab\u30bf\u30ab\u30ca \uff76\uff80", "\u304b\u3099 \u304c", "\u30cf\u309a", "\uc548\ub155\ud558\uc138\uc694", "\u1112\u1161\u11ab\u1100\u1173\u11af", "\uac00\u11a8 \uac01", "\u1100\u1161\u1161", "\u3400\U00020000\U0002a700",
    "\uf900 \u8c48", "\ufa30", "\U0002f800", "\U00030000\U00031350", "\U00013000\U00013050", "\U00012000", "\U0001d160", "\U0001d400\U0001d5a0", "\U00010330", "\U00011099\U000110ba", "\U0001e900\U0001e94a",
    "\U00011935\U00011930", "\U000105d2\u0307", "\u1c89\ua7cb", "\U0001e030", "a\U00010ec5b", "\u0b47\u0b56", "\u1b05\u1b35", "\u0cc6\u0cc2\u0cd5", "\U00016d63\U00016d67",
]
EMOJI = [
    "\U0001f600", " \U0001f600", "a\U0001f600b", "\U0001f600\U0001f600", "\U0001f44d\U0001f3fd", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f469\U0001f3ff\u200d\U0001f4bb", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\u2764\ufe0f", "\u2764", "1\ufe0f\u20e3", "#\ufe0f\u20e3", "\u231a\ufe0f12", "\u2122\u00ae\u00a9", "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "\u2603\u2602", "\u221e\u2260\u2264", "\u2192\u2190", "\u2800\u2801", "\u2588\u2589", "\u266a\u266b", "\U0001fae8\U0001fadc", "\u200d\u200d", "\ufe0f",
]
TOKENS = [
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext", "<|ENDOFTEXT|>", "<|<|endoftext|>|>", "\u0301<|endoftext|>\u0301",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nx<|eot_id|>", "<think>\n\n</think>\n\n", "<tool_call>{}</tool_call>",
    "x <mask> y", "x  <mask>", "<mask>  y", "x <sep> y", "<sep>\n\n\ty", "<sep><sep>", "x <both> y", " <both> <both> ", "<sep> <mask>", "<sep>  New", "<sep> \u00e0 x", "<mask><both> <mask>", "\u3000<mask>", "x\u2003<both>\u2003",
    "\u200b<mask>\u200b", "<end>  x", "<e><e>", "<unk>", "x<unk>y", "<unk>\u00e9\u00e9<unk>", "<repo_name>x/y<file_sep>a.py\n", "<gh_stars>100", "<reponame", "  ", "x   y", "x  ", "\u4e2d\u56fd\u00e9", "a\u4e2d\u56fd",
]
LONG = ["a" * 200, "ab" * 150, " " * 120, "\n" * 60, "!" * 90, "7" * 100, "\u00e9" * 70, "e\u0301" * 70, "\u4e2d" * 50, "'s" * 40, "the " * 60, "\U0001f600" * 30, "\u0301" * 60, "x\u0301\u0327" * 20, "a1" * 60]
# fmt: on

NASTY = list(dict.fromkeys(WHITE + CONTROL + WORDS + NUMBERS + LATIN + SCRIPTS + EMOJI + TOKENS + LONG))
