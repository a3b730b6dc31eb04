/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Water that the sound stirs. Eight springs lie under it, one a band, each with a pigment of its own; what is loud pushes the water, and the water, a true fluid, folds the pigments into each other. The moon it mirrors goes over with the trajectory.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "band0", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "band1", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "band2", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "band3", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "band4", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "band5", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "band6", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "band7", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 350},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 200, "RELEASE_MS": 700},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 40, "RELEASE_MS": 250},
    {"NAME": "progress", "TYPE": "float", "ATTACK_MS": 1500, "RELEASE_MS": 1500},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 2500, "RELEASE_MS": 2500}
  ],
  "PASSES": [
    {"TARGET": "springs", "FLOAT": true, "WIDTH": 8, "HEIGHT": 2},
    {"TARGET": "flow", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT/4, 45, 90)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT/4, 45, 90)"},
    {"TARGET": "swell", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT/4, 45, 90)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT/4, 45, 90)"},
    {"TARGET": "swell", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT/4, 45, 90)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT/4, 45, 90)"},
    {"TARGET": "swell", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT/4, 45, 90)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT/4, 45, 90)"},
    {"TARGET": "swell", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT/4, 45, 90)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT/4, 45, 90)"},
    {"TARGET": "flow", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT/4, 45, 90)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT/4, 45, 90)"},
    {"TARGET": "dye", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH*2/3", "HEIGHT": "$HEIGHT*2/3"},
    {}
  ]
}*/

// A fluid as Stam (1999) steps it: carried along by itself, pushed, then freed of its divergence by a pressure that is
// never quite solved, but goes on from the last frame's. Lengths are in picture heights, speeds in heights a second.
// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

// How far the spine reaches to either side of the middle.
const float REACH = 0.46;

const vec3 ABYSS = vec3(0.006, 0.016, 0.026);
const vec3 VIRIDIAN = vec3(0.04, 0.30, 0.29);
const vec3 PEARL = vec3(0.80, 0.78, 0.70);
const vec3 RUST = vec3(0.62, 0.19, 0.07);

float aspect() { return IMG_SIZE(dye).x / IMG_SIZE(dye).y; }
float delta() { return min(TIMEDELTA, 0.05); }

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() { return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0); }

float band(int number) {
    if (number < 4) return number < 2 ? (number == 0 ? band0 : band1) : (number == 2 ? band2 : band3);
    return number < 6 ? (number == 4 ? band4 : band5) : (number == 6 ? band6 : band7);
}

vec2 spined() {
    float lean = 0.5 + 0.42 * sin(TIME / 32.0);
    return vec2(cos(lean) * min(1.0, aspect()), sin(lean));
}

// Row 0: place and push of a spring. Row 1: its pigments, and how much of them it gives. They lie on a spine that turns
// slowly, the low at one end, the high at the other, and push to one side of it and the other.
vec4 sprung() {
    int number = int(gl_FragCoord.x);
    float n = float(number);
    float level = band(number);
    if (gl_FragCoord.y > 1.0) {
        float deep = max(0.0, 1.0 - n / 3.5), high = max(0.0, (n - 3.5) / 3.5);
        float pulse = 0.55 + 0.45 * sin(TIME * (4.0 + 0.25 * n) + n * 2.1);
        return vec4(deep, 1.0 - deep - high, high, level * (0.25 + level) * pulse * (1.0 + 2.0 * onset));
    }
    float turn = TIME * (96.0 + 16.0 * n) / 2048.0 + n * 2.4;
    vec2 spine = spined();
    vec2 at = vec2(0.5 * aspect(), 0.5) + spine * ((n - 3.5) * REACH / 3.5 + 0.03 * sin(turn));
    float sway = 0.8 * sin(turn);
    vec2 along = (mod(n, 2.0) * 2.0 - 1.0) * (vec2(-spine.y, spine.x) * cos(sway) + spine * sin(sway));
    return vec4(at, along * (0.06 + level * (0.5 + level)) * (1.0 + 2.0 * onset));
}

// Where the water at `at` was a moment ago, in the picture 0..1.
vec2 upstream(vec2 at, vec2 speed) { return at - speed * delta() / vec2(aspect(), 1.0); }

vec4 pushed() {
    vec2 here = isf_FragNormCoord;
    vec2 speed = IMG_NORM_PIXEL(flow, upstream(here, IMG_NORM_PIXEL(flow, here).xy)).xy;
    vec2 at = here * vec2(aspect(), 1.0);
    vec2 push = vec2(0.0);
    for (int n = 0; n < 8; n++) {
        vec4 spring = texelFetch(springs, ivec2(n, 0), 0);
        vec2 off = at - spring.xy;
        push += spring.zw * exp(-dot(off, off) * 420.0) * 8.0;
    }
    // The tide itself: two slow gyres that lean on each other; it never stands quite still.
    float t = TIME / 16.0;
    vec2 wave = at * vec2(2.7, 3.1) + vec2(sin(t), cos(t * 0.5));
    push += vec2(sin(wave.x) * cos(wave.y), -cos(wave.x) * sin(wave.y)) * (0.012 + 0.05 * loudness());
    speed += push * delta();
    speed *= exp2(-delta() / 3.0);
    vec2 shore = smoothstep(vec2(0.0), vec2(0.04, 0.05), min(here, 1.0 - here));
    return vec4(speed * shore.x * shore.y, 0.0, 0.0);
}

// One Jacobi step: r the pressure, g the divergence it has to undo.
vec4 relaxed() {
    vec2 texel = 1.0 / IMG_SIZE(swell);
    vec2 x = vec2(texel.x, 0.0), y = vec2(0.0, texel.y), here = isf_FragNormCoord;
    float divergence = PASSINDEX > 2 ? IMG_NORM_PIXEL(swell, here).g
        : 0.5 * (IMG_NORM_PIXEL(flow, here + x).x - IMG_NORM_PIXEL(flow, here - x).x
               + IMG_NORM_PIXEL(flow, here + y).y - IMG_NORM_PIXEL(flow, here - y).y);
    float around = IMG_NORM_PIXEL(swell, here + x).r + IMG_NORM_PIXEL(swell, here - x).r
                 + IMG_NORM_PIXEL(swell, here + y).r + IMG_NORM_PIXEL(swell, here - y).r;
    return vec4((around - divergence) * 0.25, divergence, 0.0, 0.0);
}

vec4 freed() {
    vec2 texel = 1.0 / IMG_SIZE(swell);
    vec2 x = vec2(texel.x, 0.0), y = vec2(0.0, texel.y), here = isf_FragNormCoord;
    vec2 slope = vec2(IMG_NORM_PIXEL(swell, here + x).r - IMG_NORM_PIXEL(swell, here - x).r,
                      IMG_NORM_PIXEL(swell, here + y).r - IMG_NORM_PIXEL(swell, here - y).r);
    vec2 speed = IMG_NORM_PIXEL(flow, here).xy - 0.5 * slope;
    return vec4(speed / (1.0 + 0.3 * length(speed)), 0.0, 0.0);
}

// The pigments at `at`, read with a cubic that keeps their edges: bilinear reading would blur them away in a second.
vec4 carried(vec2 at) {
    vec2 size = IMG_SIZE(dye);
    vec2 texel = at * size - 0.5;
    vec2 f = fract(texel), first = (floor(texel) + 0.5) / size, step_ = 1.0 / size;
    vec2 outer0 = f * (-0.5 + f * (1.0 - 0.5 * f)), outer3 = f * f * (-0.5 + 0.5 * f);
    vec2 second = f * (0.5 + f * (2.0 - 1.5 * f));
    vec2 middle = 1.0 - outer0 - outer3;
    vec2 between = first + step_ * second / middle;
    vec4 sum = IMG_NORM_PIXEL(dye, between) * middle.x * middle.y;
    sum += IMG_NORM_PIXEL(dye, vec2(first.x - step_.x, between.y)) * outer0.x * middle.y;
    sum += IMG_NORM_PIXEL(dye, vec2(first.x + 2.0 * step_.x, between.y)) * outer3.x * middle.y;
    sum += IMG_NORM_PIXEL(dye, vec2(between.x, first.y - step_.y)) * middle.x * outer0.y;
    sum += IMG_NORM_PIXEL(dye, vec2(between.x, first.y + 2.0 * step_.y)) * middle.x * outer3.y;
    float whole = middle.x * middle.y + (outer0.x + outer3.x) * middle.y + middle.x * (outer0.y + outer3.y);
    return max(sum / whole, 0.0);
}

vec4 dyed() {
    vec2 here = isf_FragNormCoord;
    vec2 speed = IMG_NORM_PIXEL(flow, here).xy;
    vec4 before = carried(upstream(here, speed)) * exp2(-delta() / mix(1.2, 14.0, feedback * feedback));
    vec2 at = here * vec2(aspect(), 1.0);
    vec3 given = vec3(0.0);
    vec2 spine = spined(), middle = at - vec2(0.5 * aspect(), 0.5);
    vec2 beside = middle - spine * dot(middle, spine) / dot(spine, spine);
    for (int n = 0; n < 8 && dot(beside, beside) < 0.006; n++) {
        vec2 off = at - texelFetch(springs, ivec2(n, 0), 0).xy;
        float near = dot(off, off);
        if (near < 0.006) {
            vec4 pigment = texelFetch(springs, ivec2(n, 1), 0);
            vec2 along = texelFetch(springs, ivec2(n, 0), 0).zw;
            // In strands along the push, which the water draws out into threads; faint ones, for what they pass over flickers.
            float strand = sin(dot(off, vec2(-along.y, along.x)) / (length(along) + 1e-4) * 330.0 + float(n));
            given += pigment.rgb * pigment.a * (0.7 + 0.3 * strand * strand) * exp(-near * 900.0) * 26.0;
        }
    }
    vec3 after = before.rgb + given * delta();
    return vec4(after / (1.0 + 0.5 * delta() * dot(after, vec3(1.0))), 1.0);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

float thickness(vec2 at) { return dot(IMG_NORM_PIXEL(dye, at).rgb, vec3(0.8, 1.0, 0.9)); }

vec4 seen() {
    vec2 here = isf_FragNormCoord;
    vec2 texel = 1.2 / IMG_SIZE(dye);
    vec3 pigment = IMG_THIS_PIXEL(dye).rgb;
    float thick = dot(pigment, vec3(0.8, 1.0, 0.9));
    vec2 slope = vec2(thickness(here + vec2(texel.x, 0.0)), thickness(here + vec2(0.0, texel.y))) - thick;
    slope *= RENDERSIZE.y / 180.0;
    vec2 moon = (here - vec2(0.15 + 0.7 * progress, 0.82)) * vec2(aspect(), 1.0);
    vec2 from = moon / (length(moon) + 0.2);
    float fold = dot(slope, from) / (0.05 + 0.42 * thick);
    vec3 light = ABYSS * (0.7 + 1.2 * exp(-dot(moon, moon) * 2.0) * (0.5 + loudness()));
    light += VIRIDIAN * (pigment.r * 0.55) + PEARL * pigment.g * pigment.g * 0.9 / (0.25 + pigment.g) + RUST * pigment.b * 0.9;
    light *= 1.0 + clamp(fold, -0.75, 1.4);
    light += PEARL * pow(max(0.0, fold), 3.0) * 0.05 * exp(-dot(moon, moon) * 3.0) * smoothstep(0.02, 0.3, thick);
    light = hued(light) * brightness * 2.1;
    float lit = dot(light, vec3(0.35, 0.45, 0.20)) + 1e-5;
    float shown = 1.0 - exp(-lit);
    return vec4(mix(min(light * shown / lit, 1.0), vec3(shown), 0.4 * shown * shown), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = sprung();
    else if (PASSINDEX == 1) gl_FragColor = pushed();
    else if (PASSINDEX < 6) gl_FragColor = relaxed();
    else if (PASSINDEX == 6) gl_FragColor = freed();
    else gl_FragColor = PASSINDEX == 7 ? dyed() : seen();
}
