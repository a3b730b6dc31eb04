"""What the flash guard reckons on the graphics card: which points turned, where too many are spent, what is held.

A film of small pictures, drawn after each frame: every point's state, sums of them in blocks, flashes of many points
together, and the hold. See `flashguard` for what it is all for.
"""

from __future__ import annotations

BLOCKS = (15, 9)
"""Blocks across and down: 5 x 3 of them are a ninth of the picture, WCAG's 341 x 256 of 1024 x 768 px."""
WINDOWS_SIZE = (BLOCKS[0] - 4, BLOCKS[1] - 2)
"""Ninths that begin at a block."""
POINTS = 5
"""Points across and down a block: 375 in a ninth; a quarter of it has 94, give or take 8."""
GRID = (BLOCKS[0] * POINTS, BLOCKS[1] * POINTS)
AREA = 60
"""Where a ninth of the picture has more spent points than these, it is held."""
TOGETHER = 60
"""More points of a ninth than these that flash together are a flash of them all, of which there may be three."""
TOGETHER_S = 0.05
"""What turns no later than this after such a flash was part of it."""

TURNS = 6
"""A point turns freely as often as this in MEMORY_S: three flashes. So many stamps are its state."""
MEMORY_S = 1.02
HASTE_HZ = 0.07
"""A held picture goes this share of the way in a second, in squares of what is displayed; of luminance that is at most
1.14 times as much, sRGB being what it is: a change that counts takes more than MEMORY_S."""
LEAST_LUMINANCE, LEAST_RED = 0.09, 0.05
"""What counts as a change, 0..1. WCAG's are .1 and 20/320; what 8 bits make of a colour may add .01 to its change."""
LATELY, LEAK_HZ = 28, 84
"""A turn of what a held point wants counts LATELY, and LEAK_HZ of that are forgotten a second: the point stays held
while that turns three times a second or more, and up to two seconds longer."""
DELTA_AT_MOST_S = 0.5
TICKS_HZ = 4096
"""Steps of the guard's clock, which is 16 bit: it turns over every 16 s, and what is older than 2 s stays that old."""
UNITS = {"seen": 0, "wish": 1, "hold": 2, "lights": 3, "reds": 4, "slices": 5, "counts": 6, "windows": 7}
"""The texture unit of each picture."""

FULL = """#version 330 core
void main() {
    gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}
"""

# Six corners for every block, all in one place where it is not held: what passes costs nothing.
HELD_BLOCKS = f"""#version 330 core
uniform sampler2D hold;
void main() {{
    int number = gl_VertexID / 6, corner = gl_VertexID % 6;
    ivec2 at = ivec2(number % {BLOCKS[0]}, number / {BLOCKS[0]});
    ivec2 to = ivec2(corner == 1 || corner == 3 || corner == 4 ? 1 : 0, corner == 2 || corner > 3 ? 1 : 0);
    vec2 place = vec2(at + to) / vec2({BLOCKS[0]}.0, {BLOCKS[1]}.0) * 2.0 - 1.0;
    gl_Position = texelFetch(hold, at, 0).r > 0.5 ? vec4(place, 0.0, 1.0) : vec4(0.0, 0.0, 0.0, 1.0);
}}
"""

KEEP = """#version 330 core
uniform sampler2D seen;
out vec4 colour;
void main() { colour = texelFetch(seen, ivec2(gl_FragCoord.xy), 0); }
"""

# Squares stand for linear light. Noise of half a step of a half float keeps slow fades from stopping short.
SLOW = """#version 330 core
uniform sampler2D seen;
uniform sampler2D wish;
uniform float haste;
uniform float drift;
out vec4 colour;
void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec3 before = texelFetch(seen, at, 0).rgb, wanted = texelFetch(wish, at, 0).rgb;
    vec3 shown = sqrt(mix(before * before, wanted * wanted, haste));
    float noise = fract(dot(gl_FragCoord.xy, vec2(0.7548776662, 0.5698402910)) + drift) - 0.5;
    colour = vec4(shown + shown * (haste > 0.0 ? noise / 1400.0 : 0.0), 1.0);
}
"""

# A point's state, once for luminance and once for red: x, y, z when it turned, six times 16 bits, the newest first. w a
# mark of what is shown, 15 bits: the extreme since the last turn, the way (rising: 1), whether a saturated red came by
# since the last turn, whether one did before it, and whether that turn was not noted; one of what is wanted, 8 bits:
# extreme and way; how often that turned lately, in LATELY-ths, leaking, 8 bits; whether it is held, 1 bit.
_CLOCK = f"""#version 330 core
uniform int now;
uint age(uint stamp) {{ return (uint(now) - stamp) & 0xFFFFu; }}
uint older(uint stamp) {{ return age(stamp) > {2 * TICKS_HZ}u ? (uint(now) - {2 * TICKS_HZ}u) & 0xFFFFu : stamp; }}
const uint SECOND = {round(MEMORY_S * TICKS_HZ)}u;
"""

STATES = (
    _CLOCK
    + f"""
uniform sampler2D seen;
uniform sampler2D wish;
uniform sampler2D hold;
uniform usampler2D lights;
uniform usampler2D reds;
uniform uint leak;
layout(location = 0) out uvec4 light;
layout(location = 1) out uvec4 red;

bool turned(inout float extreme, inout bool rising, float value, float least, float dark) {{
    float back = rising ? extreme - value : value - extreme;
    bool turn = back >= least && min(extreme, value) < dark;
    if (turn || back < 0.0) extreme = value;
    rising = rising != turn;
    return turn;
}}

uvec4 after(uvec4 state, vec2 shown, float wanted, bool held, float least, float dark) {{
    uint a = older(state.x & 0xFFFFu), b = older(state.x >> 16), c = older(state.y & 0xFFFFu);
    uint d = older(state.y >> 16), e = older(state.z & 0xFFFFu), f = older(state.z >> 16), w = state.w;
    float extreme = float((w >> 4) & 0x7FFu) / 2047.0;
    bool rising = (w & 8u) != 0u, tinted = (w & 4u) != 0u || shown.y > 0.5;
    bool before = (w & 2u) != 0u, missed = (w & 1u) != 0u;
    if (turned(extreme, rising, shown.x, least, dark)) {{
        // A flash is a pair of turns of which one is tinted: the other counts too, though it came first.
        if (tinted && missed) {{ f = e; e = d; d = c; c = b; b = a; a = uint(now); }}
        missed = !tinted && !before;
        if (!missed) {{ f = e; e = d; d = c; c = b; b = a; a = uint(now); }}
        before = tinted;
        tinted = shown.y > 0.5;
    }}
    float wish = float((w >> 16) & 0x7Fu) / 127.0;
    bool wishing = (w & 0x8000u) != 0u;
    uint lately = (w >> 23) & 0xFFu;
    lately -= min(lately, leak);
    if (turned(wish, wishing, wanted, least, dark)) lately = min(lately + {LATELY}u, 9u * {LATELY}u);
    uint mark = uint(extreme * 2047.0 + 0.5) << 4 | (rising ? 8u : 0u) | (tinted ? 4u : 0u) | (before ? 2u : 0u);
    uint marks = mark | (missed ? 1u : 0u) | (wishing ? 0x8000u : 0u) | uint(wish * 127.0 + 0.5) << 16;
    return uvec4(a | b << 16, c | d << 16, e | f << 16, marks | lately << 23 | (held ? 0x80000000u : 0u));
}}

vec4 measured(vec3 colour) {{
    colour = clamp(colour, 0.0, 1.0);  // the dither goes beyond
    vec3 linear = mix(colour / 12.92, pow((colour + 0.055) / 1.055, vec3(2.4)), step(0.04045, colour));
    float others = linear.g + linear.b;
    bool saturated = linear.r > 1e-4 && linear.r >= 3.9 * others;
    return vec4(dot(linear, vec3(0.2126, 0.7152, 0.0722)), 1.0, max(0.0, linear.r - others), saturated ? 1.0 : 0.0);
}}

void main() {{
    ivec2 at = ivec2(gl_FragCoord.xy);
    // Spread as the R2 sequence is, so that no grating falls between the points.
    vec2 place = fract(float(at.y * {GRID[0]} + at.x) * vec2(0.7548776662, 0.5698402910));
    vec2 size = vec2(textureSize(seen, 0));
    ivec2 pixel = ivec2(min((vec2(at) + place) / vec2({GRID[0]}.0, {GRID[1]}.0) * size, size - 1.0));
    ivec2 block = ivec2((vec2(pixel) + 0.5) / size * vec2({BLOCKS[0]}.0, {BLOCKS[1]}.0));
    bool held = texelFetch(hold, block, 0).r > 0.5;
    vec4 shown = measured(texelFetch(seen, pixel, 0).rgb), wanted = shown;
    if (held) wanted = measured(texelFetch(wish, pixel, 0).rgb);
    light = after(texelFetch(lights, at, 0), shown.xy, wanted.x, held, {LEAST_LUMINANCE}, 0.8);
    red = after(texelFetch(reds, at, 0), shown.zw, wanted.z, held, {LEAST_RED}, 2.0);
}}
"""
)

COUNTS = (
    _CLOCK
    + f"""
uniform usampler2D lights;
uniform usampler2D reds;
out float count;
bool spent(uvec4 state) {{
    return age(state.z >> 16) < SECOND || ((state.w >> 31) != 0u && ((state.w >> 23) & 0xFFu) > 3u * {LATELY}u);
}}
void main() {{
    ivec2 first = ivec2(gl_FragCoord.xy) * {POINTS};
    count = 0.0;
    for (int y = 0; y < {POINTS}; ++y)
        for (int x = 0; x < {POINTS}; ++x) {{
            ivec2 at = first + ivec2(x, y);
            if (spent(texelFetch(lights, at, 0)) || spent(texelFetch(reds, at, 0))) count += 1.0;
        }}
}}
"""
)

# Slices of time in which many points of a ninth flash together, be it only once each: 5 x 5 ninths, half a ninth from
# each other. Stamps: x the end of the last slice and its middle (its start may be the end of another flash as well), y
# the middles of the two before it, z when a fourth last began in the same second.
SLICES = (
    _CLOCK
    + f"""
uniform usampler2D slices;
uniform usampler2D lights;
uniform usampler2D reds;
out uvec4 slice;

void look(uint stamps, uint since, inout bool turned, inout uint pair) {{
    turned = turned || age(stamps & 0xFFFFu) < since;
    if (age(stamps >> 16) < since) pair = min(pair, age(stamps >> 16));
}}

void main() {{
    ivec2 at = ivec2(gl_FragCoord.xy);
    uvec4 was = texelFetch(slices, at, 0);
    uint end = older(was.x & 0xFFFFu), first = older(was.x >> 16);
    uint second = older(was.y & 0xFFFFu), third = older(was.y >> 16), fourth = older(was.z & 0xFFFFu);
    uint since = min(age(end) - min(age(end), {round(TOGETHER_S * TICKS_HZ)}u), {TICKS_HZ}u);
    ivec2 corner = ivec2(vec2(at) * vec2({GRID[0] / 6}, {GRID[1] / 6}) + 0.5);
    uint turned = 0u, flashed = 0u, ages = 0u;
    for (int y = 0; y < {GRID[1] // 3}; ++y)
        for (int x = 0; x < {GRID[0] // 3}; ++x) {{
            bool once = false;
            uint pair = 0xFFFFu;
            look(texelFetch(lights, corner + ivec2(x, y), 0).x, since, once, pair);
            look(texelFetch(reds, corner + ivec2(x, y), 0).x, since, once, pair);
            if (once) ++turned;
            if (pair != 0xFFFFu) {{ ++flashed; ages += pair; }}
        }}
    if (flashed > {TOGETHER}u) {{
        third = second; second = first; first = (uint(now) - ages / flashed / 2u) & 0xFFFFu; end = uint(now);
    }} else if (turned > {TOGETHER}u && age(third) < {TICKS_HZ}u) fourth = uint(now);
    slice = uvec4(end | first << 16, second | third << 16, fourth, 0u);
}}
"""
)

# The ninths of the picture that begin in each block.
WINDOWS = """#version 330 core
uniform sampler2D counts;
out float count;
void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    count = 0.0;
    for (int y = 0; y < 3; ++y) for (int x = 0; x < 5; ++x) count += texelFetch(counts, at + ivec2(x, y), 0).r;
}
"""

# A block is held where it, or one beside it, has a spent point and lies in a ninth that has too many; and all are, for
# two seconds, where a ninth began to flash together once too often: what flashes here and there will do so elsewhere.
HOLD = (
    _CLOCK
    + f"""
uniform sampler2D counts;
uniform sampler2D windows;
uniform usampler2D slices;
out float held;
void main() {{
    ivec2 at = ivec2(gl_FragCoord.xy), last = ivec2({BLOCKS[0] - 1}, {BLOCKS[1] - 1});
    float most = 0.0, near = 0.0;
    for (int y = max(at.y - 2, 0); y <= min(at.y, last.y - 2); ++y)
        for (int x = max(at.x - 4, 0); x <= min(at.x, last.x - 4); ++x)
            most = max(most, texelFetch(windows, ivec2(x, y), 0).r);
    for (int y = max(at.y - 1, 0); y <= min(at.y + 1, last.y); ++y)
        for (int x = max(at.x - 1, 0); x <= min(at.x + 1, last.x); ++x)
            near += texelFetch(counts, ivec2(x, y), 0).r;
    held = near > 0.0 && most > {AREA}.0 ? 1.0 : 0.0;
    for (int y = 0; y < 5; ++y)
        for (int x = 0; x < 5; ++x)
            if (age(texelFetch(slices, ivec2(x, y), 0).z) < {round(1.9 * TICKS_HZ)}u) held = 1.0;
}}
"""
)

THUMBNAIL = f"""#version 330 core
uniform sampler2D seen;
out float luminance;
void main() {{
    luminance = 0.0;
    for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 4; ++x) {{
            vec2 at = (floor(gl_FragCoord.xy) + (vec2(x, y) + 0.5) / 4.0) / vec2({GRID[0]}.0, {GRID[1]}.0);
            vec3 light = pow(clamp(texture(seen, at).rgb, 0.0, 1.0), vec3(2.2));
            luminance += dot(light, vec3(0.2126, 0.7152, 0.0722)) / 16.0;
        }}
}}
"""
