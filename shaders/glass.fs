/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Late sun through a pane of old glass, on a wall. The sound strikes the pane and sets it trembling like water; what it bends gathers in bright nets whose edges part into colours.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "colours", "LABEL": "How far the light parts into colours", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "beat_phase", "TYPE": "float"},
    {"NAME": "tempo_confidence", "TYPE": "float", "ATTACK_MS": 2000, "RELEASE_MS": 2000},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 120, "RELEASE_MS": 900},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 600, "RELEASE_MS": 1500},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 2500, "RELEASE_MS": 2500},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 30, "RELEASE_MS": 250},
    {"NAME": "band0", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 500},
    {"NAME": "band1", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 500},
    {"NAME": "band2", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 500},
    {"NAME": "band3", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 500},
    {"NAME": "band4", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 400},
    {"NAME": "band5", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 400}
  ],
  "PASSES": [
    {"TARGET": "pane", "PERSISTENT": true, "FLOAT": true, "WIDTH": 160, "HEIGHT": 90},
    {"TARGET": "bend", "FLOAT": true, "WIDTH": 160, "HEIGHT": 90},
    {"TARGET": "light", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor($WIDTH / 2)", "HEIGHT": "floor($HEIGHT / 2)"},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

const vec3 PLUM = vec3(0.060, 0.026, 0.030);
const vec3 AMBER = vec3(1.00, 0.58, 0.22);

float hash(vec2 at) {
    vec3 p = fract(vec3(at.xyx) * vec3(0.1731, 0.2273, 0.1517));
    p += dot(p, p.yzx + 23.17);
    return fract((p.x + p.y) * p.z);
}

float grain(vec2 at) {
    vec2 cell = floor(at), in_ = fract(at);
    in_ = in_ * in_ * (3.0 - 2.0 * in_);
    return mix(mix(hash(cell), hash(cell + vec2(1.0, 0.0)), in_.x), mix(hash(cell + vec2(0.0, 1.0)), hash(cell + 1.0), in_.x), in_.y);
}

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() {
    return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
}

// A strike at `from` on the pane of this width.
float strike(vec2 at, vec2 from, float wide) {
    vec2 off = (at - from) / wide;
    return exp(-dot(off, off));
}

// The trembling pane: r its height, g that of a moment ago. Low bands strike it broadly at the left, high ones finely at
// the right; each place wanders.
vec4 trembled() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    ivec2 last = ivec2(159, 89);
    vec4 here = texelFetch(pane, at, 0);
    if (FRAMEINDEX == 0) return vec4(0.0, 0.0, 0.0, 1.0);
    float round_ = texelFetch(pane, clamp(at + ivec2(1, 0), ivec2(0), last), 0).r + texelFetch(pane, clamp(at - ivec2(1, 0), ivec2(0), last), 0).r
                 + texelFetch(pane, clamp(at + ivec2(0, 1), ivec2(0), last), 0).r + texelFetch(pane, clamp(at - ivec2(0, 1), ivec2(0), last), 0).r;
    float delta = min(TIMEDELTA, 0.05);
    float speed = 0.30 * delta * 30.0;
    float next = 2.0 * here.r - here.g + min(speed * speed, 0.45) * (round_ - 4.0 * here.r);
    // Glass is thick: what is fine in the trembling is gone first.
    next = mix(here.r, next, exp2(-delta * 0.9)) * exp2(-delta / 1.6);
    next += 0.16 * (round_ * 0.25 - here.r);
    vec2 p = vec2(at);
    float t = TIME * 0.25;
    float press = band0 * strike(p, vec2(36.0 + 9.0 * sin(t), 45.0 + 14.0 * cos(t * 0.5)), 19.0)
                - band1 * strike(p, vec2(62.0 + 9.0 * cos(t * 0.75), 62.0 + 9.0 * sin(t)), 14.0)
                + band2 * strike(p, vec2(84.0 + 12.0 * sin(t * 1.25), 30.0 + 9.0 * cos(t)), 11.0)
                - band3 * strike(p, vec2(106.0 + 8.0 * cos(t), 58.0 + 12.0 * sin(t * 1.5)), 9.0)
                + band4 * strike(p, vec2(124.0 + 8.0 * sin(t * 1.5), 36.0 + 12.0 * cos(t * 1.25)), 7.5)
                - band5 * strike(p, vec2(140.0 + 6.0 * cos(t), 50.0 + 20.0 * sin(t * 0.75)), 6.5);
    next += press * (0.35 + 3.0 * onset) * delta * 1.6;
    next /= 1.0 + delta * abs(next) * 1.5;
    return vec4(clamp(next, -4.0, 4.0), here.r, 0.0, 1.0);
}

// The glass at rest: drawn by hand, wavy, with a swirl; in heights of a 160th of its width.
float relief(vec2 at) {
    float t = TIME * 0.0625;
    vec2 swirl = vec2(sin(at.y * 0.055 + t), cos(at.x * 0.047 - t * 1.5)) * 11.0;
    vec2 p = at + swirl;
    return 1.5 * sin(p.x * 0.070 + 0.4 * sin(p.y * 0.05 + t * 2.0)) * sin(p.y * 0.083 + 1.1)
         + 0.95 * sin(p.x * 0.171 - p.y * 0.093 + t * 3.0) * sin(p.x * 0.061 + p.y * 0.140 - t)
         + 0.42 * sin(p.y * 0.257 + p.x * 0.149 - t * 2.5) * sin(p.x * 0.231 - p.y * 0.083 + t * 4.0)
         + 0.10 * sin(p.x * 0.431 + p.y * 0.217 + t * 3.5) * sin(p.y * 0.391 - p.x * 0.173);
}

float glass(ivec2 at) {
    return relief(vec2(at)) + 1.5 * texelFetch(pane, clamp(at, ivec2(0), ivec2(159, 89)), 0).r;
}

// Which way each place of the pane bends the light: rg its slope, in texels a height.
vec4 bent() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec2 slope = vec2(glass(at + ivec2(1, 0)) - glass(at - ivec2(1, 0)), glass(at + ivec2(0, 1)) - glass(at - ivec2(0, 1))) * 0.5;
    return vec4(slope, glass(at), 1.0);
}

// Light on the wall at `at` (texels of the pane) as far behind it as `far`: where the pane gathers it, there is more.
float gathered(vec2 at, float far) {
    vec2 size = vec2(160.0, 90.0);
    vec2 from = at;
    for (int i = 0; i < 4; i++) from = mix(from, at - far * IMG_NORM_PIXEL(bend, from / size).rg, 0.62);
    vec2 missed = from + far * IMG_NORM_PIXEL(bend, from / size).rg - at;
    vec2 dx = IMG_NORM_PIXEL(bend, (from + vec2(1.0, 0.0)) / size).rg - IMG_NORM_PIXEL(bend, (from - vec2(1.0, 0.0)) / size).rg;
    vec2 dy = IMG_NORM_PIXEL(bend, (from + vec2(0.0, 1.0)) / size).rg - IMG_NORM_PIXEL(bend, (from - vec2(0.0, 1.0)) / size).rg;
    float area = (1.0 + 0.5 * far * dx.x) * (1.0 + 0.5 * far * dy.y) - 0.25 * far * far * dx.y * dy.x;
    // Where light comes from many places at once none is found for sure: there it is even.
    float sure = exp(-dot(missed, missed) * 1.6);
    return mix(1.0, 1.0 / (0.17 + abs(area)), sure);
}

vec4 lit() {
    vec2 at = isf_FragNormCoord * vec2(160.0, 90.0);
    // With the beat, where there is one, the wall breathes nearer and farther.
    float breath = 1.0 + 0.10 * tempo_confidence * cos(6.2831853 * beat_phase) + 0.10 * sin(TIME * 0.125);
    float far = (6.5 + 3.0 * sparseness) * breath;
    float part = (0.08 + 0.18 * centroid) * colours;
    vec3 now = vec3(gathered(at, far * (1.0 - part)), gathered(at, far), gathered(at, far * (1.0 + part)));
    now = pow(now, vec3(1.7)) * 0.30;
    float delta = min(TIMEDELTA, 0.1);
    float half_life = mix(0.04, 1.6, feedback * feedback);
    vec3 before = IMG_THIS_PIXEL(light).rgb;
    // What lights up stays a while, as it does in the eye.
    vec3 fading = before * exp2(-delta / half_life);
    vec3 after = max(fading, mix(before, now, 1.0 - exp(-delta / 0.06)));
    return vec4(FRAMEINDEX == 0 ? now : min(after, 6.0), 1.0);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

vec4 seen() {
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 at = (isf_FragNormCoord * 2.0 - 1.0) * vec2(aspect, 1.0);
    vec3 net = IMG_THIS_PIXEL(light).rgb;
    // The wall: limewashed, uneven, and a little of the light goes through what it falls on.
    float wash = grain(at * 5.0 + 9.0) * 0.5 + grain(at * 13.0) * 0.3 + grain(at * 170.0) * 0.2;
    // The sun comes through a window: a slanted field of light, soft at its edges, barred once each way.
    vec2 slanted = vec2(at.x + 0.42 * at.y - 0.08, at.y - 0.10 * at.x);
    vec2 edge = smoothstep(vec2(1.02, 0.76) * vec2(max(aspect * 0.72, 0.7), 1.0) + 0.10, vec2(1.02, 0.76) * vec2(max(aspect * 0.72, 0.7), 1.0) - 0.10, abs(slanted));
    vec2 bars = smoothstep(0.012, 0.045, abs(slanted - vec2(0.26, 0.10)));
    float window = edge.x * edge.y * (0.10 + 0.90 * bars.x * bars.y);
    float sun = 0.34 + 1.25 * loudness();
    vec3 wall = PLUM * (0.55 + 0.65 * wash);
    vec3 tinted = net * mix(vec3(1.0), AMBER, 0.72);
    vec3 seen_ = wall * (0.75 + 0.5 * exp(-dot(at, at) * 0.8)) + tinted * window * sun * (0.72 + 0.40 * wash) * 0.80;
    // What is thrown beyond the window's edge: the brightest threads only.
    seen_ += pow(max(net - 0.55, 0.0), vec3(1.4)) * vec3(0.50, 0.20, 0.12) * 0.10 * (1.0 - window) * sun;
    seen_ = hued(seen_) * brightness;
    float bright = dot(seen_, vec3(0.35, 0.45, 0.20)) + 1e-5;
    float shown = 1.0 - exp(-bright * 1.15);
    vec3 colour = seen_ * shown / bright;
    return vec4(mix(min(colour, 1.0), vec3(shown), 0.45 * shown * shown), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = trembled();
    else if (PASSINDEX == 1) gl_FragColor = bent();
    else gl_FragColor = PASSINDEX == 2 ? lit() : seen();
}
