/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The sound writes itself down, in neumes of its own on four staves of four lines: as high as it is bright, as heavy as it is loud, bound where it goes on, a lozenge where it is struck, a cloud where it is noise; below, the bands as tablature. Only the hand that writes, and the beat, are red. In the margin, how strange and how old what is heard is.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 0, "RELEASE_MS": 150},
    {"NAME": "beat", "TYPE": "float", "ATTACK_MS": 0, "RELEASE_MS": 150},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 60},
    {"NAME": "flatness", "TYPE": "float", "ATTACK_MS": 80, "RELEASE_MS": 80},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 400, "RELEASE_MS": 400},
    {"NAME": "age", "TYPE": "float", "ATTACK_MS": 400, "RELEASE_MS": 400},
    {"NAME": "progress", "TYPE": "float"},
    {"NAME": "band0", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "band1", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "band2", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "band3", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "band4", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "band5", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "band6", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150},
    {"NAME": "band7", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 150}
  ],
  "PASSES": [
    {"TARGET": "sheet", "PERSISTENT": true, "FLOAT": true, "WIDTH": 48, "HEIGHT": 12},
    {}
  ]
}*/

// The sheet holds a column a neume, and for each stave three rows: 0 its pitch, weight, mark and when it was written;
// 1 and 2 the bands. The picture is set from it, sharp at any size. A stave takes 12 s, all four less than a minute.

const float STAVES = 4.0;
const float COLUMNS = 48.0;
const float RATE = 4.0;

const vec3 IVORY = vec3(0.900, 0.852, 0.742);
const vec3 INK = vec3(0.045, 0.038, 0.035);
const vec3 RED = vec3(0.640, 0.075, 0.045);

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() { return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0); }

// Where the hand is: in columns since the first stave's begin, 0..COLUMNS * STAVES.
float hand() { return mod(TIME * RATE, COLUMNS * STAVES); }

// Row 0's b: the mark is 1 struck, 2 a beat, 3 both, and 1/8..7/8 of noise in its fraction.
vec4 written() {
    vec2 cell = floor(gl_FragCoord.xy);
    float stave = floor(cell.y / 3.0), row = cell.y - 3.0 * stave;
    vec4 before = texelFetch(sheet, ivec2(cell), 0);
    float column = stave * COLUMNS + cell.x;
    float since = mod(hand() - column, COLUMNS * STAVES);
    if (since >= 1.0) {
        // What is written pales; what the hand comes to is scraped off just before it.
        if (since > COLUMNS * STAVES - 3.0) return vec4(0.0);
        if (row > 0.5) return before;
        float half_life = mix(1.0, 60.0, feedback * feedback);
        return vec4(before.rgb, before.a * exp2(-min(TIMEDELTA, 0.1) / half_life));
    }
    bool fresh = before.a < 0.999 || since * 1.0 < TIMEDELTA * RATE;
    if (row > 1.5) return max(fresh ? vec4(0.0) : before, vec4(band4, band5, band6, band7));
    if (row > 0.5) return max(fresh ? vec4(0.0) : before, vec4(band0, band1, band2, band3));
    float weight = loudness();
    if (fresh) before = vec4(0.0);
    bool louder = weight >= before.g;
    float marks = floor(before.b);
    float struck = max(mod(marks, 2.0), step(0.30, onset));
    float beaten = max(floor(marks * 0.5), step(0.35, beat));
    float noise = louder ? floor(clamp(flatness * 1.6, 0.0, 0.99) * 8.0) / 8.0 : fract(before.b);
    float pitch = louder ? clamp((centroid - 0.40) * 1.75, 0.0, 1.0) : before.r;
    return vec4(pitch, max(weight, before.g), struck + 2.0 * beaten + noise, 1.0);
}

float chance(vec2 cell) {
    vec3 mixed = fract(cell.xyx * vec3(0.1537, 0.2311, 0.0973));
    mixed += dot(mixed, mixed.yzx + 27.31);
    return fract((mixed.x + mixed.y) * mixed.z);
}

float rough(vec2 at) {
    vec2 cell = floor(at), within = fract(at);
    within *= within * (3.0 - 2.0 * within);
    return mix(mix(chance(cell), chance(cell + vec2(1.0, 0.0)), within.x),
               mix(chance(cell + vec2(0.0, 1.0)), chance(cell + vec2(1.0, 1.0)), within.x), within.y);
}

float line(vec2 at, vec2 from, vec2 to) {
    vec2 along = to - from;
    return length(at - from - along * clamp(dot(at - from, along) / (dot(along, along) + 1e-9), 0.0, 1.0));
}

// How much ink there is at a signed distance to an outline, both in picture heights.
float inked(float outside) { return clamp(0.5 - outside * RENDERSIZE.y, 0.0, 1.0); }

// A stroke of a broad pen held at a slant: `wide` across it, a quarter of that along it. Space is pressed together along
// the slant, until the pen is round.
float pen(vec2 at, vec2 from, vec2 to, float wide) {
    mat2 pressed = mat2(0.16, -0.77, 0.1925, 0.64);
    return 1.8 * (line(pressed * at, pressed * from, pressed * to) - wide * 0.15);
}

// A figure 0..9, one wide and two high: a bar is five, a lozenge one, an empty one nothing. How far outside it `at` is.
float figure(vec2 at, int digit) {
    at -= vec2(0.5, 0.0);
    if (digit == 0) return abs(abs(at.x) + abs(at.y - 0.5) - 0.30) - 0.08;
    float outside = digit >= 5 ? max(abs(at.x) - 0.62, abs(at.y) - 0.11) : 1e3;
    for (int i = 0; i < digit % 5; i++) {
        vec2 off = abs(at - vec2(0.62 * (float(i & 1) - (digit % 5 == 1 ? 0.0 : 0.5)), 0.62 + 0.72 * float(i >> 1)));
        outside = min(outside, off.x + off.y - 0.32);
    }
    return outside;
}

// The ink (x) and the red (y) of one neume of `stave` at `at`, whose origin is the left end of the stave's lowest line;
// `gap` between two lines, `step_` between two columns.
vec2 neume(vec2 at, int stave, int column, float gap, float step_) {
    vec4 own = texelFetch(sheet, ivec2(column, stave * 3), 0);
    if (own.a <= 0.0 || own.g < 0.12) return vec2(0.0);
    vec2 head = vec2((float(column) + 0.5) * step_, own.r * gap * 4.0 - gap * 0.5);
    float size = gap * (0.22 + 0.50 * own.g * own.g), marks = floor(own.b);
    bool struck = mod(marks, 2.0) > 0.5;
    vec2 off = at - head;
    float shape = struck ? (abs(off.x) * 1.15 + abs(off.y)) - size * 1.25
        : max(abs(off.x) - size * 0.85, abs(off.y + off.x * 0.22) - size * 0.72);
    if (struck && own.g < 0.55) shape = abs(shape + size * 0.3) - size * 0.17;
    // Bound to the last where the sound went on, by a line that leaves it upright and comes in upright.
    if (column > 0) {
        vec4 last = texelFetch(sheet, ivec2(column - 1, stave * 3), 0);
        if (!struck && last.a > 0.0 && last.g > 0.12 && abs(last.r - own.r) > 0.02) {
            vec2 from = vec2(head.x - step_, last.r * gap * 4.0 - gap * 0.5);
            shape = min(shape, pen(at, from, head, gap * 0.26));
        }
    }
    // A stem the longer the louder it was struck.
    if (struck) {
        float down = own.r > 0.55 ? -1.0 : 1.0;
        shape = min(shape, line(at, head, head + vec2(0.0, down * gap * (1.0 + 2.4 * own.g))) - gap * 0.045);
    }
    // Noise is a cloud of points.
    float dust = fract(own.b);
    if (dust > 0.15) {
        vec2 grid = off / (gap * 0.42), cell = floor(grid);
        vec2 jitter = vec2(chance(cell + float(column)), chance(cell - float(column) + 40.0)) - 0.5;
        float reach = 1.0 - smoothstep(0.0, 3.6 * dust * own.g + 1.0, length(cell));
        float point = length(grid - cell - 0.5 - 0.5 * jitter) * gap * 0.42 - gap * 0.085 * reach;
        if (chance(cell * 1.7 + 9.0) < 0.65 * reach) shape = min(shape, point);
    }
    float red = marks > 1.5 ? inked(line(at, vec2(head.x, gap * 4.55), vec2(head.x, gap * 5.05)) - gap * 0.05) : 0.0;
    return vec2(inked(shape), red) * min(1.0, own.a * 1.05);
}

// The bands under a stave, eight thin rows: a dash for what is there, the thicker the louder.
float tablature(vec2 at, int stave, int column, float gap, float step_) {
    if (column < 0 || column >= int(COLUMNS)) return 0.0;
    float row = floor(-at.y / (gap * 0.30)) - 4.0;
    if (row < 0.0 || row > 7.0) return 0.0;
    int band = 7 - int(row);
    float level = texelFetch(sheet, ivec2(column, stave * 3 + (band < 4 ? 1 : 2)), 0)[band & 3];
    float kept = texelFetch(sheet, ivec2(column, stave * 3), 0).a;
    float middle = -(row + 4.5) * gap * 0.30;
    vec2 off = abs(vec2(at.x - (float(column) + 0.5) * step_, at.y - middle));
    float dash = max(off.x - step_ * 0.46 * smoothstep(0.0, 0.5, level), off.y - gap * 0.11 * level);
    return level > 0.06 ? inked(dash) * kept * 0.85 : 0.0;
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

vec4 seen() {
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 page = isf_FragNormCoord * vec2(aspect, 1.0);
    float margin = 0.13 * min(1.0, aspect);
    float high = 0.89 / STAVES, gap = high * 0.132;
    float wide = aspect - 1.7 * margin, first = gap * 1.6, step_ = (wide - first) / COLUMNS;
    float from_top = (0.965 - page.y) / high;
    int stave = int(clamp(floor(from_top), 0.0, STAVES - 1.0));
    vec2 at = vec2(page.x - margin, 0.965 - (float(stave) + 0.64) * high);
    at.y = page.y - at.y;

    float ink = 0.0, red = 0.0;
    bool on = at.x > 0.0 && at.x < wide;
    float hair = 0.5 / RENDERSIZE.y;
    for (int i = 0; i < 4; i++) ink = max(ink, on ? 0.55 * inked(abs(at.y - float(i) * gap) - max(hair * 0.6, gap * 0.022)) : 0.0);
    ink = max(ink, 0.8 * inked(max(abs(at.x) - max(hair, gap * 0.04), abs(at.y - 1.5 * gap) - 1.5 * gap)));

    vec2 from = vec2(at.x - first, at.y);
    int column = int(floor(from.x / step_));
    // Loops of no turns where there is nothing to be seen: a software renderer skips those, but no branch.
    int last = abs(at.y - gap * 1.75) < gap * 4.5 ? 1 : -2;
    for (int i = -1; i <= last; i++) {
        if (column + i < 0 || column + i >= int(COLUMNS)) continue;
        vec2 found = neume(from, stave, column + i, gap, step_);
        ink = max(ink, found.x);
        red = max(red, found.y);
    }
    ink = max(ink, tablature(from, stave, column, gap, step_));

    // A clef: the line that counts is between its two lozenges.
    vec2 clef = vec2(at.x - gap * 0.9, abs(at.y - gap * 2.0) - gap * 0.62);
    ink = max(ink, inked(abs(clef.x) + abs(clef.y) * 0.9 - gap * 0.34));
    ink = max(ink, inked(max(abs(at.x - gap * 0.55) - gap * 0.05, abs(at.y - gap * 2.0) - gap * 1.15)));

    // The hand, and its figures: strangeness and age in hundredths, in the margin of the stave it is on.
    float now = hand(), here = floor(now / COLUMNS);
    if (float(stave) == here) {
        float x = first + mod(now, COLUMNS) * step_;
        float hand_ = max(abs(at.x - x) - max(hair, gap * 0.035), abs(at.y - 0.75 * gap) - gap * 3.4);
        red = max(red, inked(hand_));
        red = max(red, inked(abs(at.x - x) + abs(at.y - gap * 4.3) - gap * (0.18 + 0.30 * loudness())));
        red = max(red, inked(max(abs(at.y - gap * 4.3) - gap * 0.03, max(-at.x, at.x - wide * progress))));
        vec2 small = vec2(gap * 0.42);
        int figures = at.x < 0.0 ? 2 : 0;
        for (int n = 0; n < figures; n++) {
            float shown = floor(clamp(n == 0 ? sparseness : age, 0.0, 0.99) * 100.0);
            for (int place = 0; place < 2; place++) {
                vec2 corner = vec2(-gap * (place == 0 ? 1.9 : 1.0), n == 0 ? gap * 1.75 : gap * 0.25);
                int digit = int(place == 0 ? floor(shown / 10.0) : mod(shown, 10.0));
                ink = max(ink, inked(figure((at - corner) / small, digit) * small.y));
            }
        }
    }
    // Numbers of the staves, one small stroke each.
    for (int i = 0; i < 4 && at.x < 0.0; i++) {
        if (i <= stave) ink = max(ink, 0.7 * inked(line(at, vec2(-gap * (0.7 + 0.3 * float(i)), gap * 3.2), vec2(-gap * (0.7 + 0.3 * float(i)), gap * 3.6)) - gap * 0.04));
    }

    // The sheet: laid paper under one lamp; ink dries unevenly.
    vec2 fibre = page * 340.0;
    float paper = 0.93 + 0.05 * rough(page * 3.0) + 0.03 * rough(fibre * vec2(0.15, 1.0)) + 0.02 * chance(floor(page * 900.0));
    vec2 off = isf_FragNormCoord - vec2(0.46, 0.56);
    paper *= 1.0 - 0.80 * dot(off, off) - 0.10 * smoothstep(0.30, 0.5, max(abs(off.x), abs(off.y)));
    paper *= 0.90 + 0.10 * loudness();
    float dry = ink > 0.0 ? 0.86 + 0.14 * rough(page * 210.0) : 1.0;
    vec3 light = IVORY * paper;
    light = mix(light, INK, ink * dry);
    light = mix(light, RED * paper, red * 0.92);
    return vec4(hued(light) * brightness, 1.0);
}

void main() { gl_FragColor = PASSINDEX == 0 ? written() : seen(); }
