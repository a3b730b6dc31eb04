/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The sound as sediment. Each moment lies down on the last as a layer, low notes to the left, tinted by the latents it came from; loud partials are veins of ore. The ridge is the sound now, and the light that goes over it takes one trajectory from rise to set.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "spectrumTrail", "TYPE": "image"},
    {"NAME": "latentTrail", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "ATTACK_MS": 1200, "RELEASE_MS": 1200},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 300, "RELEASE_MS": 600},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 900},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 3000, "RELEASE_MS": 3000}
  ],
  "PASSES": [
    {"TARGET": "ridge", "PERSISTENT": true, "FLOAT": true, "WIDTH": 96, "HEIGHT": 1},
    {"TARGET": "top", "PERSISTENT": true, "FLOAT": true, "WIDTH": 640, "HEIGHT": 1},
    {"TARGET": "bed", "PERSISTENT": true, "FLOAT": true, "WIDTH": 320, "HEIGHT": 256},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

const float LAYERS = 14.0;

const vec3 SLATE = vec3(0.050, 0.070, 0.095);
const vec3 UMBER = vec3(0.150, 0.075, 0.045);
const vec3 OCHRE = vec3(0.330, 0.180, 0.080);
const vec3 BONE = vec3(0.520, 0.480, 0.410);
const vec3 ORE = vec3(0.950, 0.600, 0.300);

// Place of a note along the picture: seven octaves of bins, low ones to the left.
float bin(float x) {
    return (exp2(1.9 + 7.0 * x) + 0.5) / 512.0;
}

float heard(float x, float row) {
    return max(0.0, 1.35 * IMG_NORM_PIXEL(spectrumTrail, vec2(bin(x), (row + 0.5) / 256.0)).r - 0.13);
}

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() {
    return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
}

// The ridge follows the sound of the last moments slowly, so that it breathes instead of twitching.
vec4 ridged() {
    float x = isf_FragNormCoord.x;
    float now = 0.0;
    for (int i = -3; i <= 3; i++) {
        float weight = 4.0 - abs(float(i));
        float there = clamp(x + float(i) * 0.014, 0.0, 1.0);
        now += weight * (heard(there, 0.0) + heard(there, 6.0) + heard(there, 14.0));
    }
    now /= 48.0;
    float before = IMG_THIS_PIXEL(ridge).r;
    float follow = 1.0 - exp2(-min(TIMEDELTA, 0.1) / (now > before ? 0.35 : 1.0));
    return vec4(mix(before, now, follow));
}

// A layer differs so much from those before it and no more: where a beat came down as black and white, what passes over
// a pixel would flash.
float near(float mean, float now, float most) {
    float off = (now - mean) / most;
    return mean + most * off / (1.0 + abs(off));
}

// The next layer: r loudness, the most of the last moments; g its slope along the notes; a the mineral, from the latents.
// In the right half r and g are the slow means of both.
vec4 next() {
    float x = fract(isf_FragNormCoord.x * 2.0);
    float here = 0.0;
    float higher = 0.0;
    for (int i = 0; i < 8; i++) {
        here = max(here, heard(x, float(i)));
        higher = max(higher, heard(x + 0.006, float(i)));
    }
    ivec2 column = ivec2(int(gl_FragCoord.x) % 320 + 320, 0);
    vec2 before = texelFetch(top, column, 0).rg;
    vec2 mean = mix(before, vec2(here, higher - here), 1.0 - exp2(-min(TIMEDELTA, 0.1) / 1.0));
    // Where it was quiet it may be loud at once: there all is dark.
    float most = mix(0.60, 0.06, smoothstep(0.05, 0.30, mean.r));
    if (gl_FragCoord.x > 320.0) return vec4(mean, 0.0, 0.0);
    vec2 size = IMG_SIZE(latentTrail);
    float mineral = 0.0;
    for (int i = 0; i < 4; i++) {
        float latent = mod(float(i), size.x);
        mineral += (i == 0 ? 0.7 : 0.45) * IMG_NORM_PIXEL(latentTrail, vec2((latent + 0.5) / size.x, 8.5 / size.y)).r;
    }
    return vec4(near(mean.r, here, most), near(mean.g, higher - here, 0.5 * most), 0.0, 0.5 + 0.5 * mineral / (1.0 + abs(mineral)));
}

// The bed: a layer is laid down LAYERS times a second and all others sink by one. b is how much louder than the one below.
vec4 laid() {
    float now = floor(TIME * LAYERS);
    int sunk = int(clamp(now - floor((TIME - min(TIMEDELTA, 0.25)) * LAYERS), 0.0, 8.0));
    ivec2 from = ivec2(gl_FragCoord.xy) - ivec2(0, sunk);
    vec4 before = texelFetch(bed, max(from, ivec2(0)), 0);
    vec4 layer = texelFetch(top, ivec2(from.x, 0), 0);
    layer.b = layer.r - before.r;
    return from.y < 0 ? layer : before;
}

float chance(vec2 cell) {
    vec3 mixed = fract(cell.xyx * vec3(0.1537, 0.2311, 0.0973));
    mixed += dot(mixed, mixed.yzx + 27.31);
    return fract((mixed.x + mixed.y) * mixed.z);
}

vec3 rock(float mineral) {
    vec3 dark = mix(SLATE, UMBER, smoothstep(0.10, 0.45, mineral));
    return mix(mix(dark, OCHRE, smoothstep(0.42, 0.72, mineral)), BONE, smoothstep(0.70, 0.95, mineral));
}

// The light's place: from beyond the left edge, over the ridge, to beyond the right.
vec2 sun() {
    float arc = (progress - 0.5) * 2.0;
    return vec2(0.5 + 0.58 * arc, 0.86 - 0.26 * arc * arc);
}

vec3 sky(vec2 at, vec2 wide) {
    vec2 off = (at - sun()) * wide;
    float near = dot(off, off);
    float high = smoothstep(0.35, 1.0, at.y);
    vec3 air = mix(vec3(0.085, 0.060, 0.050), vec3(0.014, 0.020, 0.034), high) * (0.5 + 0.8 * loudness());
    float glow = 0.020 / (0.020 + near) * (0.10 + 0.18 * loudness() + 0.10 * onset);
    float disc = smoothstep(0.0021, 0.0016, near) * (0.42 + 0.35 * loudness()) * (1.0 - 140.0 * near * (0.6 + 2.0 * off.y));
    return air + vec3(1.0, 0.74, 0.50) * glow + vec3(1.0, 0.90, 0.76) * disc;
}

vec3 ground(vec2 at, float under, vec2 wide) {
    // Layers sink and are pressed: a screen's depth holds all 256, the deepest the thinnest. Folded by old movements.
    float fold = 0.020 * sin(at.x * 7.0 + 1.3) + 0.013 * sin(at.x * 15.0 - at.y * 5.0);
    float depth = max(0.0, under + fold * smoothstep(0.0, 0.25, under));
    float row = fract(TIME * LAYERS) - 0.5 + 70.0 * (exp2(2.6 * depth) - 1.0);
    vec4 layer = IMG_NORM_PIXEL(bed, vec2(at.x + fold * 0.6, (row + 0.5) / 256.0));
    vec2 from = normalize((sun() - at) * wide + vec2(1e-4));
    float lit = 1.0 + 7.0 * layer.g * from.x * -1.0 + 5.0 * layer.b * (0.4 + 0.6 * from.y);
    float grain = 0.86 + 0.28 * chance(gl_FragCoord.xy);
    float reach = exp2(-depth * mix(5.5, 1.2, feedback));
    vec3 stone = rock(layer.a) * (0.30 + 1.1 * layer.r) * clamp(lit, 0.15, 2.6) * grain;
    float vein = layer.r * layer.r;
    vec3 ore = mix(ORE, vec3(0.55, 0.80, 0.78), smoothstep(0.35, 1.0, at.x)) * vein * vein * 1.1;
    float rim = exp2(-under * 150.0) * (0.15 + 0.5 * loudness());
    return (stone + ore) * reach * (0.75 + 0.5 * loudness()) + vec3(1.0, 0.78, 0.55) * rim;
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

vec4 seen() {
    vec2 at = isf_FragNormCoord;
    vec2 wide = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    float height = IMG_NORM_PIXEL(ridge, vec2(at.x, 0.5)).r;
    float under = 0.58 + 0.20 * height + 0.018 * sin(at.x * 5.0 + TIME * 0.03125) - at.y;
    float edge = clamp(under * RENDERSIZE.y + 0.5, 0.0, 1.0);
    vec3 light = mix(sky(at, wide), ground(at, max(0.0, under), wide), edge);
    light = hued(light) * brightness * 1.45;
    float peak = dot(light, vec3(0.4)) + 1e-5;
    float shown = 1.0 - exp(-peak);
    return vec4(mix(min(light * shown / peak, 1.0), vec3(shown), 0.4 * shown * shown), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = ridged();
    else if (PASSINDEX == 1) gl_FragColor = next();
    else gl_FragColor = PASSINDEX == 2 ? laid() : seen();
}
