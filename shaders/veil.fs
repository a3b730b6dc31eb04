/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Curtains of light over a still lake. Each curtain is a band of the sound, and what it was a while ago wanders along its folds; the waveform moves the water.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "waveform", "TYPE": "image"},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 2000},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 2000, "RELEASE_MS": 4000},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 4000, "RELEASE_MS": 4000},
    {"NAME": "band0", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 1500},
    {"NAME": "band1", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 1500},
    {"NAME": "band2", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 1500},
    {"NAME": "band3", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 1500},
    {"NAME": "band4", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 1500},
    {"NAME": "band5", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 1500}
  ],
  "PASSES": [
    {"TARGET": "past", "PERSISTENT": true, "FLOAT": true, "WIDTH": 256, "HEIGHT": 6},
    {"TARGET": "folds", "FLOAT": true, "WIDTH": 1024, "HEIGHT": 6},
    {"TARGET": "water", "PERSISTENT": true, "FLOAT": true, "WIDTH": 128, "HEIGHT": 1},
    {"TARGET": "sky", "FLOAT": true, "WIDTH": "floor($WIDTH / 2)", "HEIGHT": "floor($HEIGHT / 2)"},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

const float SHORE = -0.46;
const vec3 DEEP = vec3(0.006, 0.012, 0.018);
const vec3 ICE = vec3(0.62, 0.92, 0.84);
const vec3 PALE = vec3(0.80, 0.80, 0.92);

float hash(float n) {
    float p = fract(n * 0.1731 + 0.317);
    p *= p + 31.7;
    return fract(p * (p + p));
}

float wave(float x) {
    float cell = floor(x), in_ = fract(x);
    in_ = in_ * in_ * (3.0 - 2.0 * in_);
    return mix(hash(cell), hash(cell + 1.0), in_);
}

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() {
    return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
}

float level(int curtain) {
    return curtain == 0 ? band0 : curtain == 1 ? band1 : curtain == 2 ? band2 : curtain == 3 ? band3 : curtain == 4 ? band4 : band5;
}

// What each band was: it comes in at a place of its own and wanders off to both sides of it, paling.
vec4 wandered() {
    float x = gl_FragCoord.x / 256.0;
    int curtain = int(gl_FragCoord.y);
    float y = (float(curtain) + 0.5) / 6.0;
    float source = 0.5 + 0.30 * sin(float(curtain) * 2.4 + 0.7);
    float delta = min(TIMEDELTA, 0.1);
    float off = x - source;
    float from = source + off - sign(off) * delta * 0.055;
    // Nothing comes from beyond the source.
    from = off > 0.0 ? max(from, source) : min(from, source);
    float before = FRAMEINDEX == 0 ? 0.0 : IMG_NORM_PIXEL(past, vec2(from, y)).r;
    before *= exp2(-delta / mix(0.5, 14.0, feedback));
    float felt = smoothstep(0.03, 0.62, level(curtain));
    float near = exp(-off * off * 900.0);
    return vec4(mix(before, max(before, felt), near * (1.0 - exp(-delta * 6.0))), 0.0, 0.0, 1.0);
}

// How each curtain hangs, along it: r where its hem is, g how bright its rays, b how high they reach.
vec4 hung() {
    float x = gl_FragCoord.x / 1024.0;
    int curtain = int(gl_FragCoord.y);
    float n = float(curtain);
    float y = (n + 0.5) / 6.0;
    float t = TIME * 0.0625;
    float was = IMG_NORM_PIXEL(past, vec2(x, y)).r;
    float u = x * (2.2 + 0.35 * n) + n * 1.7;
    float sway = sin(u * 2.1 + t * 2.0 + n) + 0.6 * sin(u * 4.7 - t * 3.0 + 2.0 * sin(t + n)) + 0.25 * sin(u * 10.3 + t * 5.0);
    float turn = cos(u * 2.1 + t * 2.0 + n) * 2.1 + 2.8 * cos(u * 4.7 - t * 3.0 + 2.0 * sin(t + n));
    // Where a curtain runs away from the eye more of it lies behind each other.
    float fold = 0.35 + 1.15 / (1.0 + 0.35 * turn * turn);
    float along = u * 9.0 + 1.6 * sway + 5.0 * sin(t * 0.5 + n);
    float rays = 0.45 * wave(along) + 0.35 * wave(along * 2.9 + 7.0 + t * 8.0 * 0.25) + 0.20 * wave(along * 7.3 + 3.0);
    rays = 0.25 + 1.35 * rays * rays * 1.6;
    float hem = -0.12 + 0.13 * n - 0.010 * n * n + (0.085 + 0.02 * n) * sway - 0.10 * was;
    float rest = 0.05 + 0.04 * sin(u + t);
    return vec4(hem, (rest + 1.25 * was) * fold * rays, 0.24 + 0.42 * was + 0.16 * rays, 1.0);
}

// The water along its width: it follows the waveform slowly, so that a tone is a swell and silence a mirror.
vec4 moved() {
    float x = gl_FragCoord.x / 128.0;
    float heard = 0.0;
    for (int i = 0; i < 8; i++) heard += IMG_NORM_PIXEL(waveform, vec2(x + (float(i) - 3.5) / 1024.0, 0.5)).r - 0.5;
    vec4 before = FRAMEINDEX == 0 ? vec4(0.0) : texelFetch(water, ivec2(gl_FragCoord.xy), 0);
    float swell = mix(heard * 0.5, before.r, exp(-min(TIMEDELTA, 0.1) / 0.22));
    return vec4(swell, mix(abs(heard), before.g, exp(-min(TIMEDELTA, 0.1) / 0.6)), 0.0, 1.0);
}

// The curtains at `at` (height 2): rays that run together towards the zenith.
vec4 curtains(vec2 at, float aspect) {
    vec3 light = vec3(0.0);
    for (int i = 0; i < 6; i++) {
        float lean = 1.0 + 0.20 * (at.y + 0.1);
        float x = (at.x - 0.10) / lean / aspect * 0.5 + 0.5 + 0.02;
        vec4 here = IMG_NORM_PIXEL(folds, vec2(clamp(x, 0.0, 1.0), (float(i) + 0.5) / 6.0));
        float up = at.y - here.r;
        float body = up > 0.0 ? exp(-up / (here.b * 0.62)) : exp(-up * up * 2600.0);
        float edge = exp(-abs(up - 0.012) * (up > 0.0 ? 22.0 : 60.0));
        vec3 tint = mix(ICE, PALE, clamp(up * 1.3 + 0.05 * float(i), 0.0, 1.0));
        tint = mix(tint, vec3(0.86, 0.62, 0.70), 0.35 * sparseness * clamp(up * 1.6 - 0.35, 0.0, 1.0));
        light += tint * here.g * (body * 0.24 + edge * 0.14) * (1.0 - 0.07 * float(i));
    }
    return vec4(light, 1.0);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

// The land between: two lines of hills and, on the nearer, firs.
float hill(float x) {
    float firs = wave(x * 46.0) * wave(x * 17.0 + 5.0) * 0.050 * smoothstep(0.2, 1.3, abs(x + 0.2));
    return SHORE + 0.030 + 0.045 * wave(x * 1.9 + 20.0) + 0.020 * wave(x * 5.3) + firs + 0.05 * smoothstep(0.5, 1.7, abs(x));
}

float star(vec2 at) {
    vec2 cell = floor(at * 38.0), in_ = fract(at * 38.0) - 0.5;
    float chance = hash(cell.x * 7.13 + cell.y * 157.31);
    in_ -= 0.5 * (vec2(hash(cell.x + cell.y * 71.0), hash(cell.y + cell.x * 37.0)) - 0.5);
    return step(0.93, chance) * exp(-dot(in_, in_) * 420.0) * (0.2 + 0.8 * hash(cell.x * 3.0 - cell.y));
}

vec4 seen() {
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 at = (isf_FragNormCoord * 2.0 - 1.0) * vec2(aspect, 1.0);
    bool lake = at.y < SHORE;
    vec2 up = at;
    float depth = (SHORE - at.y) / (1.0 + SHORE);
    if (lake) {
        // Ripples lie the closer the farther they are; the sound lifts them.
        float far = 1.0 / (0.06 + depth);
        vec2 still = IMG_NORM_PIXEL(water, vec2(isf_FragNormCoord.x * 0.6 + 0.2 * depth, 0.5)).rg;
        float t = TIME * 0.5;
        float ripple = sin(far * 9.0 + t + 2.0 * sin(at.x * 3.0 + far)) * (0.35 + 5.0 * min(still.g, 0.4)) + still.r * 5.0;
        up.y = SHORE + (SHORE - at.y) * 1.25 + ripple * 0.016 * depth + 0.01;
        up.x += ripple * 0.010;
    }
    vec2 look = vec2(up.x / aspect, up.y) * 0.5 + 0.5;
    vec3 light = IMG_NORM_PIXEL(sky, look).rgb;
    vec3 night = DEEP + vec3(0.010, 0.026, 0.030) * exp(-max(up.y - SHORE, 0.0) * 2.2);
    float stars = star(up) * smoothstep(SHORE + 0.1, 0.3, up.y);
    light = light + night + PALE * 0.55 * stars / (1.0 + 6.0 * light.g);
    float land = smoothstep(0.004, -0.004, up.y - hill(up.x * (lake ? 1.0 : 1.0)));
    light = mix(light, vec3(0.002, 0.004, 0.006), land);
    if (lake) {
        light *= 0.52 - 0.22 * depth;
        light += vec3(0.003, 0.007, 0.009);
        // Mist over the far shore.
        light += ICE * 0.030 * (0.4 + loudness()) * exp(-depth * 14.0);
    } else {
        light += ICE * 0.022 * (0.4 + loudness()) * exp(-(at.y - SHORE) * 18.0);
    }
    light = hued(light) * brightness * 1.5;
    float lit = dot(light, vec3(0.30, 0.50, 0.20)) + 1e-5;
    float shown = 1.0 - exp(-lit * 1.3);
    vec3 colour = light * shown / lit;
    return vec4(mix(min(colour, 1.0), vec3(shown), 0.5 * shown * shown), 1.0);
}

void main() {
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    if (PASSINDEX == 0) gl_FragColor = wandered();
    else if (PASSINDEX == 1) gl_FragColor = hung();
    else if (PASSINDEX == 2) gl_FragColor = moved();
    else if (PASSINDEX == 3) gl_FragColor = curtains((isf_FragNormCoord * 2.0 - 1.0) * vec2(aspect, 1.0), aspect);
    else gl_FragColor = seen();
}
