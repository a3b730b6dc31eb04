/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The path through latent space as a construction of threads: each pair of latents is a light, a thread is stretched between two lights, and what it sweeps stays as a veil that drifts off. Its shading is the loudness at the time. The farther the path is from all known ones, the wider the veil parts into colours.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "latentTrail", "TYPE": "image"},
    {"NAME": "trailPhase", "TYPE": "float"},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 40, "RELEASE_MS": 250},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 40, "RELEASE_MS": 300},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 1500, "RELEASE_MS": 1500},
    {"NAME": "band1", "TYPE": "float", "ATTACK_MS": 150, "RELEASE_MS": 900},
    {"NAME": "band3", "TYPE": "float", "ATTACK_MS": 150, "RELEASE_MS": 900},
    {"NAME": "band5", "TYPE": "float", "ATTACK_MS": 150, "RELEASE_MS": 900}
  ],
  "PASSES": [
    {"TARGET": "chart", "PERSISTENT": true, "FLOAT": true, "WIDTH": 2, "HEIGHT": 2},
    {"TARGET": "veils", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor($WIDTH * min(1, 360 / $HEIGHT))", "HEIGHT": "floor($HEIGHT * min(1, 360 / $HEIGHT))"},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

// Each thread is two, of one colour while they lie on each other.
const vec3 EMBER = vec3(0.72, 0.17, 0.10);
const vec3 STRAW = vec3(0.34, 0.42, 0.17);
const vec3 VIOLET = vec3(0.25, 0.20, 0.66);
const vec3 WATER = vec3(0.12, 0.47, 0.40);

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() {
    return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
}

// Where the latents want light `number`, in px: the mean of the last half second, weighted as a bell is.
vec2 light(float number) {
    vec2 size = IMG_SIZE(latentTrail);
    vec2 column = (mod(vec2(number * 2.0, number * 2.0 + 1.0), size.x) + 0.5) / size.x;
    vec2 pair = vec2(0.0);
    float sum = 0.0;
    for (int i = 0; i < 9; i++) {
        float y = (float(i) * 5.0 + 1.5 - trailPhase) / size.y;
        float weight = 1.0 - cos((float(i) + 1.0) * 0.62831853);
        pair += weight * vec2(IMG_NORM_PIXEL(latentTrail, vec2(column.x, y)).r, IMG_NORM_PIXEL(latentTrail, vec2(column.y, y)).r);
        sum += weight;
    }
    pair *= 2.4 / sum;
    float angle = TIME * 0.0625 + number * 1.5707963;
    vec2 reach = pair / (1.0 + 0.35 * length(pair)) * 0.56 + vec2(0.28, 0.0);
    vec2 at = vec2(reach.x * cos(angle) - reach.y * sin(angle), reach.x * sin(angle) + reach.y * cos(angle));
    vec2 picture = IMG_SIZE(veils);
    return picture * vec2(0.56, 0.5) + at * picture.y * vec2(0.62, 0.46);
}

// The chart: both ends of thread y in px. They follow the latents as on a spring, which tremble; those of the thread's
// other colour (x = 1) follow the more slowly, the stranger the path is.
vec4 charted() {
    vec2 cell = floor(gl_FragCoord.xy);
    vec4 goal = vec4(light(cell.y * 2.0), light(cell.y * 2.0 + 1.0));
    vec4 before = texelFetch(chart, ivec2(gl_FragCoord.xy), 0);
    float slow = 0.28 + cell.x * 0.45 * sparseness * sparseness;
    return before == vec4(0.0) ? goal : mix(goal, before, exp(-min(TIMEDELTA, 0.1) / slow));
}

// Light of a thread at the pixel: 1 on it, fading over a pixel and a half.
float thread(vec4 ends) {
    vec2 along = ends.zw - ends.xy;
    vec2 at = gl_FragCoord.xy - ends.xy;
    vec2 off = at - along * clamp(dot(at, along) / (dot(along, along) + 1e-3), 0.0, 1.0);
    float thin = IMG_SIZE(veils).y / 360.0;
    float light = 1.0 / (1.0 + dot(off, off) * 1.3 / (thin * thin));
    return light * light;
}

vec3 threads(int number, vec3 tint, vec3 other) {
    return tint * thread(texelFetch(chart, ivec2(0, number), 0)) + other * thread(texelFetch(chart, ivec2(1, number), 0));
}

// The veils drift by whole pixels, so that they stay as sharp as they were drawn.
vec4 veiled() {
    float delta = min(TIMEDELTA, 0.1);
    float rate = RENDERSIZE.x / 32.0;
    int moved = int(floor(TIME * rate)) - int(floor((TIME - delta) * rate));
    ivec2 from = ivec2(gl_FragCoord.xy) + ivec2(moved, 0);
    vec3 before = from.x < int(RENDERSIZE.x) ? texelFetch(veils, from, 0).rgb : vec3(0.0);
    before *= exp2(-delta / mix(0.4, 8.0, feedback * feedback));
    float struck = 0.05 + 1.7 * loudness() * loudness() + 2.2 * onset;
    vec3 now = (threads(0, EMBER, STRAW) + threads(1, WATER, VIOLET)) * struck;
    vec3 after = before + now * delta * 6.0;
    return vec4(after / (1.0 + delta * 0.4 * dot(after, vec3(0.5))), 1.0);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

// The lights at both ends of a thread: a point and a halo, wider where the path is strange.
vec3 lights(int number, vec3 tint) {
    vec4 ends = texelFetch(chart, ivec2(0, number), 0);
    // The ends are in px of the veils, which have 360 lines at most: a thread is as wide there as it is to be here.
    vec2 size = IMG_SIZE(veils);
    vec2 at = isf_FragNormCoord * size;
    vec2 a = (at - ends.xy) * 360.0 / size.y;
    vec2 b = (at - ends.zw) * 360.0 / size.y;
    vec2 near = vec2(dot(a, a), dot(b, b));
    float wide = 40.0 + 900.0 * sparseness;
    vec2 halo = (0.02 + 0.14 * loudness()) * wide / (wide + near) + (0.15 + 0.8 * loudness()) * 3.0 / (3.0 + near);
    return tint * (halo.x + halo.y);
}

vec4 seen() {
    vec3 light = IMG_THIS_PIXEL(veils).rgb;
    light += lights(0, EMBER + STRAW) + lights(1, VIOLET + WATER);
    vec2 at = isf_FragNormCoord - vec2(0.56, 0.5);
    vec3 ground = vec3(0.012, 0.013, 0.020) + vec3(0.018, 0.008, 0.004) * band1 + vec3(0.003, 0.008, 0.016) * (band3 + band5);
    light += ground * max(0.0, 1.0 - 1.6 * dot(at, at));
    light = hued(light) * brightness;
    float lit = dot(light, vec3(0.4)) + 1e-5;
    float shown = 1.0 - exp(-lit * 1.6);
    return vec4(mix(min(light * shown / lit, 1.0), vec3(shown), 0.5 * shown * shown), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = charted();
    else gl_FragColor = PASSINDEX == 1 ? veiled() : seen();
}
