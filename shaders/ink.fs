/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The path through latent space, written with brushes on paper that is drawn past them. Each brush follows a pair of latents and bears down as the sound is loud; the ink runs into the wet, dries from within and leaves its edge; what is struck spatters. With each new trajectory a seal is set.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "night", "TYPE": "bool", "DEFAULT": false, "LABEL": "White ink on black paper"},
    {"NAME": "latentTrail", "TYPE": "image"},
    {"NAME": "trailPhase", "TYPE": "float"},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 220},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 0, "RELEASE_MS": 150},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 300, "RELEASE_MS": 300},
    {"NAME": "progress", "TYPE": "float"}
  ],
  "PASSES": [
    {"TARGET": "brushes", "PERSISTENT": true, "FLOAT": true, "WIDTH": 4, "HEIGHT": 4},
    {"TARGET": "sheet", "PERSISTENT": true, "FLOAT": true},
    {}
  ]
}*/

// Lengths are in picture heights. Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME
// starts again.

const vec3 PAPER = vec3(0.900, 0.868, 0.795);
const vec3 NIGHT = vec3(0.020, 0.022, 0.027);
const vec3 SOOT = vec3(4.4, 4.6, 4.5);
const vec3 INDIGO = vec3(3.5, 2.7, 2.0);
const vec3 CINNABAR = vec3(0.4, 3.4, 4.2);

// How fast the paper is drawn past, in heights a second.
const float DRAWN = 112.0 / 2048.0;

float aspect() { return IMG_SIZE(sheet).x / IMG_SIZE(sheet).y; }

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() { return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0); }

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

// By how many whole pixels the paper is drawn on in this frame: so it stays as sharp as it was written.
int drawn() {
    float rate = DRAWN * IMG_SIZE(sheet).y;
    return int(floor(TIME * rate)) - int(floor((TIME - min(TIMEDELTA, 0.1)) * rate));
}

// Where a pair of latents wants brush `number`: the mean of the last third of a second, weighted as a bell is.
vec2 pointed(float number) {
    vec2 size = IMG_SIZE(latentTrail);
    vec2 column = (mod(vec2(number * 2.0, number * 2.0 + 1.0), size.x) + 0.5) / size.x;
    vec2 pair = vec2(0.0);
    float sum = 0.0;
    for (int i = 0; i < 8; i++) {
        float y = (float(i) * 4.0 + 1.5 - trailPhase) / 256.0;
        float weight = 1.0 - cos((float(i) + 1.0) * 0.6981317);
        pair += weight * vec2(IMG_NORM_PIXEL(latentTrail, vec2(column.x, y)).r, IMG_NORM_PIXEL(latentTrail, vec2(column.y, y)).r);
        sum += weight;
    }
    pair /= sum;
    pair /= 1.0 + 0.45 * length(pair);
    vec2 home = vec2(0.74 * aspect(), 0.54 + (number - 1.0) * 0.05);
    return home + pair.yx * vec2(0.13, 0.40) * (1.0 - 0.12 * number) + vec2(0.0, 0.02 * sin(TIME * 0.25 + number * 2.0));
}

// Rows of a brush: 0 where it is and was before that; 1 its ink: weight now and before, what it has left; 2 of x = 0 the
// onset and the progress then, whether a drop falls, whether a seal is set, and how many drops fell.
vec4 led() {
    ivec2 cell = ivec2(gl_FragCoord.xy);
    vec4 before = texelFetch(brushes, cell, 0);
    float number = float(cell.x), delta = min(TIMEDELTA, 0.1);
    if (cell.y == 0) {
        vec2 goal = pointed(number);
        if (FRAMEINDEX == 0 || before == vec4(0.0)) return vec4(goal, goal);
        // The paper takes with it what was written, and where.
        float carried = float(drawn()) / IMG_SIZE(sheet).y;
        vec2 now = mix(goal, before.xy, exp(-delta / (0.09 + 0.10 * number)));
        return vec4(now, before.xy - vec2(carried, 0.0));
    }
    if (cell.y == 1) {
        float lifted = smoothstep(0.04, 0.20, loudness());
        float pressed = lifted * (0.10 + 0.90 * loudness() * loudness() + 0.25 * onset);
        // Between two trajectories the brush is lifted.
        if (texelFetch(brushes, ivec2(0, 3), 0).y > 0.0) return vec4(0.0, 0.0, 0.0, 1.0);
        float weight = mix(pressed, before.x, exp(-delta / 0.09));
        return vec4(weight, before.x, 0.0, 1.0);
    }
    if (cell.y == 2) return vec4(onset, progress, before.z, 1.0);
    vec4 then = texelFetch(brushes, ivec2(cell.x, 2), 0);
    bool drop = onset - then.x > 0.25, seal = FRAMEINDEX > 30 && then.y - progress > 0.3;
    float count = mod(before.z + (drop || seal ? 1.0 : 0.0), 4096.0);
    return vec4(drop ? onset - then.x : 0.0, seal ? 1.0 : 0.0, count, 1.0);
}

// How much ink a brush lays at `at`: a capsule from where it was to where it is, in bristles that part when it is dry.
float stroke(vec2 at, int number, out float wet) {
    vec4 path = texelFetch(brushes, ivec2(number, 0), 0);
    vec4 weight = texelFetch(brushes, ivec2(number, 1), 0);
    wet = 0.0;
    float widest = (number == 0 ? 0.050 : number == 1 ? 0.013 : 0.0045);
    float reach = widest * 1.25 + 0.004;
    vec2 low = min(path.xy, path.zw) - reach, high = max(path.xy, path.zw) + reach;
    if (any(lessThan(at, low)) || any(greaterThan(at, high)) || weight.x < 0.02) return 0.0;
    vec2 along = path.xy - path.zw;
    float share = clamp(dot(at - path.zw, along) / (dot(along, along) + 1e-8), 0.0, 1.0);
    vec2 off = at - path.zw - along * share;
    float wide = max(widest * mix(weight.y, weight.x, share), 0.7 / IMG_SIZE(sheet).y);
    float speed = length(along) / max(TIMEDELTA, 1e-3);
    float across = (along.x * off.y - along.y * off.x) / (length(along) + 1e-6);
    // The quick and the light brush is dry: its bristles part.
    float dry = smoothstep(0.35, 1.3, speed) * (1.0 - 0.6 * weight.x) * float(number < 2);
    float bristle = rough(vec2(across * 900.0 + float(number) * 40.0, 0.5)) * 0.7 + 0.3 * rough(at * 260.0);
    float edge = wide * (0.88 + 0.24 * rough(at * 70.0));
    float laid = smoothstep(edge + 1.2 / IMG_SIZE(sheet).y, edge - 1.2 / IMG_SIZE(sheet).y, length(off));
    laid *= mix(1.0, smoothstep(0.35, 0.65, bristle), dry);
    wet = laid * (1.0 - dry);
    return laid;
}

// Drops beside the brush: a few, the larger the harder the stroke.
float spattered(vec2 at, vec4 told) {
    if (told.x <= 0.0) return 0.0;
    vec2 from = texelFetch(brushes, ivec2(0, 0), 0).xy;
    if (length(at - from) > 0.40) return 0.0;
    float laid = 0.0;
    for (int i = 0; i < 6; i++) {
        vec2 key = vec2(told.z * 9.0 + float(i), 5.0);
        float angle = chance(key) * 6.2831853, far = 0.03 + 0.30 * chance(key + 11.0) * chance(key + 23.0);
        float size = (0.0015 + 0.011 * pow(chance(key + 37.0), 4.0)) * (0.6 + told.x);
        vec2 off = at - from - vec2(cos(angle), sin(angle)) * far;
        laid = max(laid, smoothstep(size + 1.0 / IMG_SIZE(sheet).y, size - 1.0 / IMG_SIZE(sheet).y, length(off) * (0.85 + 0.3 * rough(at * 120.0))));
    }
    return laid;
}

// The seal: a square cut with bars, no two alike; it stands a little below the line, where the trajectory began.
float sealed(vec2 at, vec4 told) {
    if (told.y <= 0.0) return 0.0;
    vec2 off = (at - vec2(0.72 * aspect(), 0.095)) / 0.021;
    if (max(abs(off.x), abs(off.y)) > 1.1) return 0.0;
    vec2 cut = floor((off * 0.80 + 1.0) * 2.5);
    vec2 within = abs(fract((off * 0.80 + 1.0) * 2.5) - 0.5);
    float bar = step(chance(cut + told.z * 7.0), 0.5) * step(min(within.x, within.y), 0.28);
    float body = smoothstep(1.0, 0.94, max(abs(off.x), abs(off.y)) + 0.06 * rough(at * 150.0));
    bar *= step(max(abs(off.x), abs(off.y)), 0.80);
    return body * (1.0 - bar) * (0.65 + 0.35 * rough(at * 320.0));
}

// The sheet: r soot and g indigo in the paper, b cinnabar, a water that is still there, by which ink goes on running.
vec4 inked() {
    ivec2 from = ivec2(gl_FragCoord.xy) + ivec2(drawn(), 0);
    vec2 size = vec2(textureSize(sheet, 0));
    float delta = min(TIMEDELTA, 0.1);
    vec4 before = vec4(0.0);
    if (from.x < int(size.x)) {
        before = texelFetch(sheet, from, 0);
    }
    // What has been drawn so far past the brushes is dry.
    vec2 at = gl_FragCoord.xy / size.y;
    if (at.x > 0.74 * aspect() - 0.75 && from.x < int(size.x)) {
        ivec2 last = ivec2(size) - 1;
        vec4 left = texelFetch(sheet, max(from - ivec2(1, 0), ivec2(0)), 0), right = texelFetch(sheet, min(from + ivec2(1, 0), last), 0);
        vec4 under = texelFetch(sheet, max(from - ivec2(0, 1), ivec2(0)), 0), over = texelFetch(sheet, min(from + ivec2(0, 1), last), 0);
        vec4 around = 0.25 * (left + right + under + over);
        if (before.a + around.a > 0.01) {
            // Paper fibres carry water unevenly; ink goes with it outward, and gathers where the wet ends.
            float fibre = rough((gl_FragCoord.xy + vec2(floor(TIME * DRAWN * size.y), 0.0)) * vec2(0.10, 0.16) * 360.0 / size.y);
            float run = min(0.9, delta * 22.0 * size.y / 360.0) * smoothstep(0.03, 0.35, max(before.a, around.a) * (0.35 + fibre));
            before.a = mix(before.a, around.a, min(0.8, run * 1.1));
            before.rgb = mix(before.rgb, around.rgb, run * 0.5 * smoothstep(0.02, 0.12, around.a));
            float rim = length(vec2(right.a - left.a, over.a - under.a)) * smoothstep(0.6, 0.1, before.a);
            before.rg *= 1.0 + delta * 5.0 * rim * max(vec2(0.0), 1.0 - before.rg * vec2(1.1, 1.6));
            before.a = max(0.0, before.a - delta * (0.08 + 0.12 * before.a));
        }
    }
    before.rgb *= exp2(-delta / mix(0.8, 90.0, feedback * feedback));
    vec4 told = texelFetch(brushes, ivec2(0, 3), 0);
    float wet0, wet1, wet2;
    float broad = stroke(at, 0, wet0), middle = stroke(at, 1, wet1), hair = stroke(at, 2, wet2);
    float drops = spattered(at, told);
    // The broad brush carries a wash, the thinner the quieter; the second is full of soot, the third a hair.
    before.g = max(before.g, broad * (0.04 + 0.26 * loudness() * loudness()));
    before.r = max(before.r, max(max(middle * (0.45 + 0.55 * loudness()), broad * 0.03), max(hair * 0.55, drops * 0.8)));
    before.b = max(before.b, sealed(at, told) * 0.9);
    before.a = max(before.a, max(max(wet0 * 0.8, wet1 * 0.5), drops * 0.4));
    return before;
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

vec4 seen() {
    vec2 at = isf_FragNormCoord * vec2(aspect(), 1.0);
    vec4 ink = IMG_THIS_PIXEL(sheet);
    vec2 x = vec2(1.0 / IMG_SIZE(sheet).x, 0.0), y = vec2(0.0, 1.0 / IMG_SIZE(sheet).y);
    vec2 slope = vec2(IMG_NORM_PIXEL(sheet, isf_FragNormCoord + x).a, IMG_NORM_PIXEL(sheet, isf_FragNormCoord + y).a) - ink.a;
    vec2 rolled = at + vec2(floor(TIME * DRAWN * IMG_SIZE(sheet).y) / IMG_SIZE(sheet).y, 0.0);
    float tooth = rough(rolled * 190.0) * 0.5 + rough(rolled * vec2(40.0, 300.0)) * 0.3 + rough(rolled * 9.0) * 0.2;
    vec3 stain = SOOT * ink.r * (0.82 + 0.36 * tooth) + INDIGO * ink.g * (0.7 + 0.6 * tooth) + CINNABAR * ink.b;
    vec2 off = isf_FragNormCoord - vec2(0.5, 0.54);
    float lamp = 1.0 - 0.75 * dot(off, off) - 0.10 * smoothstep(0.32, 0.52, max(abs(off.x), abs(off.y)));
    vec3 light;
    if (night) {
        vec3 chalk = 1.0 - exp(-(SOOT * ink.r + INDIGO * ink.g) * (0.38 + 0.34 * tooth));
        light = NIGHT * (0.8 + 0.5 * tooth) + (chalk.zyx * 0.35 + dot(chalk, vec3(0.33)) * vec3(0.52, 0.50, 0.46)) * (1.0 - 0.35 * ink.a);
        light = mix(light, vec3(0.55, 0.07, 0.04), min(1.0, ink.b));
    } else {
        light = PAPER * (0.955 + 0.05 * tooth) * exp(-stain);
    }
    // Wet ink shines where it slopes to the lamp.
    light += vec3(0.9, 0.95, 1.0) * clamp(dot(slope, vec2(-0.6, -0.8)) * 5.0, 0.0, 0.35) * smoothstep(0.15, 0.5, ink.r + ink.g) * ink.a;
    light *= lamp * (0.93 + 0.07 * loudness());
    return vec4(hued(light) * brightness, 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = led();
    else gl_FragColor = PASSINDEX == 1 ? inked() : seen();
}
