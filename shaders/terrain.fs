/*{
  "ISFVSN": "2",
  "DESCRIPTION": "What has sounded is land: every strike throws up a ridge, each partial a peak in it, and all of it recedes into haze beneath a moon. Behind lies what was heard half a minute ago.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "relief", "LABEL": "How high what sounds rises", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "spectrogram", "TYPE": "image"},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 150, "RELEASE_MS": 1200},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 1500, "RELEASE_MS": 3000},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 3000, "RELEASE_MS": 3000}
  ],
  "PASSES": [
    {"TARGET": "land", "PERSISTENT": true, "FLOAT": true, "WIDTH": 256, "HEIGHT": 128},
    {"TARGET": "skyline", "FLOAT": true, "WIDTH": "floor($WIDTH / 2)", "HEIGHT": 64},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

const float ROWS = 128.0;
const float ROWS_A_SECOND = 5.0;
const float HORIZON = 0.0;
const float EYE = 0.50;
const int LINES = 64;
const vec2 MOON = vec2(-0.58, 0.62);

const vec3 NIGHT = vec3(0.010, 0.016, 0.040);
const vec3 HAZE = vec3(0.150, 0.185, 0.255);
const vec3 SILVER = vec3(0.80, 0.88, 1.00);
const vec3 WARM = vec3(1.00, 0.72, 0.50);

float hash(vec2 at) {
    vec3 p = fract(vec3(at.xyx) * vec3(0.1931, 0.2113, 0.1777));
    p += dot(p, p.yzx + 27.31);
    return fract((p.x + p.y) * p.z);
}

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() {
    return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
}

// How far the land has come towards its next row, 0..1.
float come() {
    return fract(TIME * ROWS_A_SECOND);
}

// What sounds at `x` across the land: the low in the middle of it, so that the great mountains are where one looks.
float sounding(float x) {
    float column = pow(abs(x - 0.42) * 1.55 + 0.02, 0.85);
    float wide = 0.0;
    for (int i = 0; i < 5; i++) {
        float level = IMG_NORM_PIXEL(spectrogram, vec2(column + (float(i) - 2.0) * 0.006, 4.0 / 256.0)).r;
        wide = max(wide, level * (1.0 - 0.12 * abs(float(i) - 2.0)));
    }
    // The floor of what is heard is level ground.
    return pow(max(0.0, wide - 0.22) / 0.78, 1.35) * smoothstep(0.0, 0.10, x) * smoothstep(1.0, 0.86, x);
}

// Land of its own, that is there in silence too: hills, each row a little other than the one before.
float hills(float x) {
    float t = TIME * 0.125;
    float far = sin(x * 9.0 + 1.3 * sin(t + x * 4.0)) + 0.6 * sin(x * 21.0 - t * 1.5 + 1.7 * sin(t * 0.5 + 2.0));
    return 0.5 + 0.22 * far;
}

// The land: r is the height of what sounded, g of the hills, b their roughness; row 0 is being made.
vec4 risen() {
    vec2 at = floor(gl_FragCoord.xy);
    float moved = floor(TIME * ROWS_A_SECOND) - floor((TIME - min(TIMEDELTA, 0.5)) * ROWS_A_SECOND);
    moved = FRAMEINDEX == 0 ? 0.0 : clamp(moved, 0.0, 4.0);
    float x = (at.x + 0.5) / 256.0;
    float from = at.y - moved;
    if (FRAMEINDEX == 0) return vec4(0.0, 0.45 + 0.3 * sin(x * 9.0 + at.y * 0.06) * cos(at.y * 0.11 + x * 5.0), hash(at), 1.0);
    vec4 before = texelFetch(land, ivec2(at.x, max(from, 0.0)), 0);
    if (at.y > 0.5 + moved) {
        // Old land wears down: its peaks into their flanks.
        float wear = 0.05 * moved;
        float left = texelFetch(land, ivec2(max(at.x - 1.0, 0.0), from), 0).r;
        float right = texelFetch(land, ivec2(min(at.x + 1.0, 255.0), from), 0).r;
        before.r = mix(before.r, 0.5 * (left + right), wear) * exp2(-moved / ROWS_A_SECOND / mix(5.0, 60.0, feedback));
        return before;
    }
    float delta = min(TIMEDELTA, 0.1);
    float kept = moved > 0.5 ? before.r * 0.55 : before.r;
    float now = sounding(x);
    float rising = mix(now, kept, exp(-delta / (now > kept ? 0.07 : 0.6)));
    float rough = moved > 0.5 ? mix(before.b, hash(vec2(at.x, mod(floor(TIME * ROWS_A_SECOND), 4096.0))), 0.35) : before.b;
    return vec4(rising, hills(x), rough, 1.0);
}

// Depth of row `row` from the eye.
float depth(float row) {
    return 0.50 + 0.021 * row + 0.00042 * row * row;
}

// Where on the land the column `x` (-aspect..aspect) of the picture is at `z`.
float across(float x, float z) {
    return 0.5 + x * (0.170 + 0.090 * z);
}

// How high the land is at row `row` and `x`; the farther the higher, for ranges are what a horizon is made of.
float height(float x, float row) {
    vec4 here = IMG_NORM_PIXEL(land, vec2(x, (row + 0.5) / ROWS));
    float own = here.g * 0.30 + (here.b - 0.5) * (0.010 + 0.10 * here.r);
    // What is before the eye sinks, or it would stand in the way.
    float near = smoothstep(-5.0, 30.0, row);
    return (own * (0.4 + 0.6 * near) + here.r * (0.5 + 1.5 * relief) * near * near) * (1.0 + 0.0135 * row);
}

// How high in the picture the land of every second row stands, the greatest so far, so that what hides a pixel can be
// looked for by halves.
vec4 skylines() {
    float wide = isf_FragNormCoord.x * 2.0 - 1.0;
    int last = int(gl_FragCoord.y);
    float phase = come();
    float best = -9.0;
    for (int i = 0; i <= last; i++) {
        float row = float(i) * 2.0;
        float z = depth(row + phase);
        best = max(best, HORIZON + (height(across(wide, z), row) - EYE) / z);
    }
    return vec4(best, 0.0, 0.0, 1.0);
}

float line(int number) {
    return IMG_NORM_PIXEL(skyline, vec2(isf_FragNormCoord.x, (float(number) + 0.5) / float(LINES))).r;
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

vec3 sky(vec2 at) {
    float up = at.y - HORIZON;
    vec3 light = mix(HAZE * 0.62, NIGHT, smoothstep(-0.05, 0.95, up));
    vec2 off = at - MOON;
    float near = dot(off, off);
    float ring = length(off);
    float glow = 0.25 + 0.75 * loudness();
    light += SILVER * (0.035 / (0.05 + near * 3.0)) * 0.30 * glow;
    light += WARM * 0.10 * exp(-near * 60.0) * glow;
    // A ring of ice about the moon, which only strange sound has.
    light += SILVER * 0.05 * sparseness * exp(-pow((ring - 0.42) * 22.0, 2.0));
    float disc = smoothstep(0.0735, 0.0690, ring);
    float seas = 0.90 + 0.10 * sin(off.x * 46.0 + 1.2 + 1.4 * sin(off.y * 31.0 + 0.6)) * sin(off.y * 38.0 + 2.0);
    light = mix(light, vec3(0.95, 0.93, 0.86) * seas * 1.5, disc);
    // Stars, where it is dark enough for them.
    vec2 cell = floor(at * 46.0);
    vec2 in_ = fract(at * 46.0) - 0.5 - 0.6 * (vec2(hash(cell + 3.1), hash(cell + 7.7)) - 0.5);
    float star = step(0.90, hash(cell)) * exp(-dot(in_, in_) * 260.0) * hash(cell + 1.0);
    return light + SILVER * 0.7 * star * smoothstep(0.15, 0.7, up) * (1.0 - disc);
}

vec4 seen() {
    vec2 at = (isf_FragNormCoord * 2.0 - 1.0) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec3 light;
    if (line(LINES - 1) <= at.y) {
        light = sky(at);
    } else {
        int low = 0, high = LINES - 1;
        for (int i = 0; i < 6; i++) {
            int middle = (low + high) / 2;
            if (line(middle) > at.y) high = middle;
            else low = middle + 1;
        }
        high = min(high, LINES - 1);
        float top = line(high);
        float below = high > 0 ? line(high - 1) : -1.2;
        float row = max(0.0, (float(high) - 1.0 + clamp((at.y - below) / max(top - below, 1e-4), 0.0, 1.0)) * 2.0);
        float z = depth(row + come());
        float x = across(isf_FragNormCoord.x * 2.0 - 1.0, z);
        float fine = 0.005 + 0.0006 * z;
        float here = height(x, row);
        vec2 slope = vec2(height(x + fine, row) - here, height(x, row + 1.0) - here) * vec2(0.005 / fine, 1.0);
        // Lit from the left and from behind: left flanks and shoulders are silver, what faces us is dark.
        vec3 normal = normalize(vec3(-slope.x * 2.2, 0.045, slope.y * 0.9));
        float moon = max(0.0, dot(normal, normalize(vec3(-0.66, 0.44, 0.61))));
        float heat = IMG_NORM_PIXEL(land, vec2(x, (row + 0.5) / ROWS)).r;
        vec3 ground = vec3(0.006, 0.009, 0.020) + SILVER * moon * moon * (0.07 + 0.95 * smoothstep(0.04, 0.55, heat)) * smoothstep(-2.0, 14.0, row);
        ground += WARM * heat * 0.34 * exp(-row * 0.075) * smoothstep(0.0, 16.0, row);
        ground += vec3(0.016, 0.022, 0.040) * normal.y;
        // Mist lies in the valleys, the deeper the farther.
        float mist = 1.0 - exp(-pow(max(0.0, z - 0.6) * 0.235, 1.25));
        float valley = smoothstep(0.30 + 0.25 * z * 0.16, 0.05, here) * smoothstep(0.7, 2.4, z);
        mist = mix(mist, 1.0, 0.42 * valley);
        vec3 air = mix(HAZE * 0.70, HAZE * 1.25 + SILVER * 0.16 * loudness(), exp(-pow((at.x - MOON.x) * 0.8, 2.0)));
        light = mix(ground, air, clamp(mist, 0.0, 0.97));
    }
    light = hued(light) * brightness * 1.35;
    float lit = dot(light, vec3(0.30, 0.50, 0.20)) + 1e-5;
    float shown = 1.0 - exp(-lit * 1.25);
    vec3 colour = light * shown / lit;
    return vec4(mix(min(colour, 1.0), vec3(shown), 0.4 * shown * shown), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = risen();
    else gl_FragColor = PASSINDEX == 1 ? skylines() : seen();
}
