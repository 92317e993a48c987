"""Expected tokens for tests/golden/text, from the Python package `tokenizers` (0.23.3).

    pip install tokenizers==0.23.3
    python tests/golden/tokenizer_gpt2.py DATA/tokenizer_gpt2 > tests/golden/data/tokenizer_gpt2.json

DATA/tokenizer_gpt2 holds GPT-2's encoder.json and vocab.bpe. The output has
  cases     texts and their ids under GPT-2's tokenizer
  added     the same with more added tokens
  classes   [first code point, class] of each run of code points that the splitting rule treats
            alike: L letter, N number, S white space, O other, - surrogate
  training  texts, and the merges learnt from them
"""

import json
import random
import sys

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers

# fmt: off
WRITTEN = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n", "\n ", "\t", "\t\t x", "\r\n", "a\r\nb\r\n", "\x00", "a\x00b",
    "\x7f", "\x0b\x0c", "\x1c\x1d\x1e\x1f", "\x85", "a\x85b", "\u200b", "a\u200bb", "\ufeff", "\ufeffBOM",
    "\xa0", "a\xa0b", "\u180e", "a\u180eb", "\u2028line\u2029par", "\u3000wide\u3000space", "\u1680ogham",
    "\u202fnarrow", "\u2060", "hello", " hello", "  hello", "   hello  ", "hello world", "hello  world",
    "hello   world ", "Hello, world!", "HELLO WORLD", "hElLo", "don't", "DON'T", "don''t",
    "I'll we've you're he'd I'm it's", "I'LL", "'s", "''s", "' s", "'tis", "'re're", "'ll'd'm", "rock'n'roll",
    "o’clock", "don’t", "‘quoted’ “text”", "it's'", " 's", "'S", "'ſ", "x's y't z'mm", "'t", "'", "''", "'''",
    " '", "' ", "a'b'c", "1's", "!'s", "\n's", "0", "1", "12", "123", "1234567890", " 42", "3.14159",
    "1,000,000", "1e-10", "0x1F", "a1b2c3", "1st 2nd 3rd", "½ ¼ Ⅷ ① ²", "٣٤٥", "१२३", "x²+y²", "1 2 3",
    "12:34:56", "2024-01-31", "...", "!!!", "?!?!", "--", "—", "–", "…", "a...b", "(a)[b]{c}", "a/b\\c",
    "@user #tag $1 50% a&b *x* +1", "==>", "<br/>", "<|", "|>", "<|endoftext", "endoftext|>", "<|endoftext|>",
    "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|<|endoftext|>|>", "<|ENDOFTEXT|>",
    "< |endoftext|>", "  <|endoftext|>  x", "\n<|endoftext|>\n", "don<|endoftext|>'t", "<|endoftext|>s",
    "café", "cafe\u0301", "naïve façade", "Ångström", "ß ẞ", "ﬁ ligature", "İstanbul ıspanak", "Ǆ ǅ ǆ",
    "Straße", "Ω Ω", "K", "ª º", "ℌ ℍ ℕ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "𝟙𝟚𝟛", "ａｂｃ１２３", "Ｈｅｌｌｏ", "ʰʷ", "a̐éö̲", "Z̷̢̛a̴l̶g̵o̸",
    "\u0301", " \u0301", "a \u0301", "Привет, мир!", "Γειά σου Κόσμε", "שלום עולם", "שָׁלוֹם",
    "مرحبا بالعالم", "السَّلَامُ", "سلام\u200cدنیا", "नमस्ते दुनिया", "হ্যালো বিশ্ব", "ਸਤ ਸ੍ਰੀ ਅਕਾਲ",
    "வணக்கம் உலகம்", "హలో ప్రపంచం", "ಹಲೋ", "ഹലോ", "සිංහල", "สวัสดีชาวโลก", "ສະບາຍດີ", "བོད་སྐད", "မင်္ဂလာပါ",
    "გამარჯობა", "Բարեւ", "ሰላም ልዑል", "ᏣᎳᎩ", "ᐃᓄᒃᑎᑐᑦ", "ខ្មែរ", "ᠮᠣᠩᠭᠣᠯ", "你好，世界！", "你好 世界", "こんにちは世界",
    "カタカナ ｶﾀｶﾅ", "안녕하세요 세계", "\u1112\u1161\u11ab\u1100\u1173\u11af", "㐀𠀀𪜀", "\U0002ebf0\U00031350",
    "\U0001e030\U0001e06d", "\U00010d4a \U00010d40", "\u1c89\ua7cb", "\U0001ccf0\U0001ccf9", "😀", " 😀", "😀😀",
    "a😀b", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪🇫🇷", "❤️", "❤", "☃ ☂", "🏴\U000e0067\U000e0062\U000e007f", "⌚️12", "™®©",
    "∑∏∫√∞≠≤", "∀x∈ℝ: ⌈x⌉", "→ ← ⇒", "€100 £5 ¥9", "♠♥♦♣", "⠓⠑⠇⠇⠕", "𓀀𓁐", "𒀀", "\U0010ffff", "\ue000",
    "\ufffd", "\uffff", "\U000f0000", "def f(x):\n    return x\n", "\tif (a && b) {\n\t\tc();\n\t}",
    "for i in range(10):  # loop\n        print(i)\n\n\n", "x = {'a': 1, \"b\": [2, 3]}",
    "https://example.com/a?b=c&d=%20#e", "user@example.com", "C:\\dir\\file.txt",
    "SELECT * FROM t WHERE a='b';", "snake_case camelCase PascalCase kebab-case", "_ __ ___ _a a_", "a" * 100,
    "ab" * 60, " " * 100, " " * 33 + "x", "\n" * 50, "\t" * 20 + "y", "!" * 70, "1" * 80, "é" * 40, "中" * 30,
    "'s" * 20, "a b " * 20, "supercalifragilisticexpialidocious", "antidisestablishmentarianism",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch", "trailing space ", "trailing tab\t",
    "trailing newline\n", "two trailing  ", "mixed \t \n end \n", " \t x", "x \t", "\n x", "x\n\ny", "x \n y",
    "a  \n  b", "a\u3000\u3000b", "a\xa0\xa0b", "a \xa0b", "a\xa0 b", "\xa0\xa0", "a\u2003 \u2003b",
    "\u2028\u2028x", "x\u0085\u0085y",
]
SCRIPTS = [
    (0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF),
    (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x2000, 0x206F), (0x20A0, 0x22FF), (0x3000, 0x30FF),
    (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x0, 0x20),
    (0x20000, 0x2A6DF), (0xE000, 0x10FFFF),
]
# None of them stands in GPT-2's vocabulary, where we would share its id and `tokenizers` would not.
# fmt: off
ADDED = [
    " in Germany", "in Germany", "New York", "New York City", " New York", "<bos>", "éé-", "中国人民", " don't",
]
ADDED_TEXTS = [
    "", "in Germany", " in Germany", "is in Germany.", "in Germanys", "  in Germany", "New York", "New Yorker",
    "New  York", " New York", "NewNew York", "New York City", " New York City", "New York Cit",
    "<bos>Where is New York?", "<bos><bos>", "éé-é", "ééé-", "e\u0301é-", "中国人民", "中国人",
    "中国中国人民人", "I don't", "don't", " don'ts", "<|endoftext|>New",
]
# fmt: on


def random_texts(count):
    rng = random.Random(7)
    texts = []
    for _ in range(count):
        text = ""
        for _ in range(rng.randint(1, 6)):
            low, high = rng.choice(SCRIPTS)
            for _ in range(rng.randint(1, 5)):
                point = rng.randint(low, high)
                text += " " if 0xD800 <= point < 0xE000 else chr(point)
            text += rng.choice(["", " ", "  ", "\n", "'s"])
        texts.append(text)
    return texts


def invented_places(count):
    rng = random.Random(11)
    syllables = "ba ren to lin ka mar so vil ha gen du ster o na aa ee".split()

    def word():
        return "".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))).title()

    return ["".join(" " + word() for _ in range(rng.randint(1, 2))) for _ in range(count)]


def gpt2(folder, added=()):
    tokenizer = Tokenizer(models.BPE.from_file(f"{folder}/encoder.json", f"{folder}/vocab.bpe"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    # normalized=False puts all added tokens on one footing: leftmost, then longest.
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in added])
    return tokenizer


def cases(tokenizer, texts):
    return [{"text": text, "ids": tokenizer.encode(text).ids} for text in texts]


def classes():
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str

    def of(point):
        if 0xD800 <= point < 0xE000:
            return "-"
        for name, neighbour in (("L", "a"), ("N", "1"), ("O", "!")):
            if len(split(neighbour + chr(point))) == 1:
                return name
        return "S"

    runs = []
    for point in range(0x110000):
        name = of(point)
        if not runs or runs[-1][1] != name:
            runs.append([point, name])
    return runs


def training(texts, merge_count):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + merge_count,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return {"merge_count": merge_count, "merges": merges, "texts": texts}


def main():
    folder = sys.argv[1]
    result = {
        "made_by": f"tokenizers {tokenizers.__version__}",
        "cases": cases(gpt2(folder), WRITTEN + random_texts(150)),
        "added": {"tokens": ADDED, "cases": cases(gpt2(folder, ADDED), ADDED_TEXTS)},
        "classes": classes(),
        "training": training(invented_places(400) + WRITTEN, 600),
    }
    # One case a line, the rest compact.
    print(json.dumps(result).replace('{"text":', '\n{"text":'))


if __name__ == "__main__":
    main()
