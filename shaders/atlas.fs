/*{
  "ISFVSN": "2",
  "DESCRIPTION": "All that the search remembers as an engraved star chart: the rarer an individual sounded the greater its star, the older the warmer; the dead are open circles. Faint lines lead back to parents, a halo follows the one that sounds, the lens shows where it lies, and the limb's hatching is the sound itself.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Archive"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "archiveMap", "TYPE": "image"},
    {"NAME": "archiveCount", "TYPE": "float"},
    {"NAME": "playing", "TYPE": "point2D"},
    {"NAME": "playingIndex", "TYPE": "float"},
    {"NAME": "spectrogram", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float"},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 80, "RELEASE_MS": 900},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 500}
  ],
  "PASSES": [
    {"TARGET": "index", "PERSISTENT": true, "FLOAT": true, "WIDTH": 48, "HEIGHT": 48},
    {"TARGET": "pen", "PERSISTENT": true, "FLOAT": true, "WIDTH": 1, "HEIGHT": 1},
    {"TARGET": "plate", "PERSISTENT": true, "FLOAT": true, "WIDTH": 384, "HEIGHT": 384},
    {"TARGET": "limb", "PERSISTENT": true, "FLOAT": true, "WIDTH": 180, "HEIGHT": 1},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

const float PI = 3.14159265;
const int STARS = 1024;
const int LINES_A_FRAME = 10;
const float CELLS = 48.0;
const float WIDE = 1.08;

const vec3 INDIGO = vec3(0.020, 0.030, 0.085);
const vec3 INK = vec3(0.72, 0.74, 0.80);
const vec3 YOUNG = vec3(0.88, 0.94, 1.00);
const vec3 OLD = vec3(1.00, 0.76, 0.44);

float hash(vec2 at) {
    vec3 p = fract(vec3(at.xyx) * vec3(0.1831, 0.2311, 0.1597));
    p += dot(p, p.yzx + 25.17);
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

int count() {
    return min(int(archiveCount + 0.5), STARS);
}

// The greatest four stars in and close about this cell of the chart, as columns of the map + 1; 0 is none. A quarter
// of the cells is looked through each frame.
vec4 indexed() {
    ivec2 cell = ivec2(gl_FragCoord.xy);
    if ((cell.x + 2 * cell.y + FRAMEINDEX) % 4 != 0 && FRAMEINDEX > 3) return texelFetch(index, cell, 0);
    vec2 middle = (gl_FragCoord.xy / CELLS * 2.0 - 1.0) * WIDE;
    float reach = WIDE / CELLS + 0.030;
    vec4 found = vec4(0.0), great = vec4(-1.0);
    for (int i = 0; i < STARS; i++) {
        if (i >= count()) break;
        vec4 star = texelFetch(archiveMap, ivec2(i, 0), 0);
        vec2 off = abs(star.xy - middle);
        if (max(off.x, off.y) > reach) continue;
        float size = star.z + (i == int(playingIndex) ? 9.0 : 0.0);
        float column = float(i + 1);
        if (size > great.x) { great = vec4(size, great.xyz); found = vec4(column, found.xyz); }
        else if (size > great.y) { great = vec4(great.x, size, great.yz); found = vec4(found.x, column, found.yz); }
        else if (size > great.z) { great = vec4(great.xy, size, great.z); found = vec4(found.xy, column, found.z); }
        else if (size > great.w) { great.w = size; found.w = column; }
    }
    return found;
}

// The pen that draws the path: where it is (xy) and was the frame before (zw).
vec4 penned() {
    vec4 before = texelFetch(pen, ivec2(0), 0);
    return FRAMEINDEX == 0 ? playing.xyxy : vec4(playing, before.xy);
}

// How near `at` is to the line from `a` to `b`, 1 on it, fading over `thin`.
float stroke(vec2 at, vec2 a, vec2 b, float thin) {
    vec2 along = b - a, off = at - a;
    off -= along * clamp(dot(off, along) / (dot(along, along) + 1e-7), 0.0, 1.0);
    return exp(-dot(off, off) / (thin * thin));
}

// The engraver's plate: r the lines to parents, a few of them cut anew each frame; g the path of what has sounded;
// both wear off. b is a bloom where it sounded loud.
vec4 engraved() {
    vec2 at = (isf_FragNormCoord * 2.0 - 1.0) * WIDE;
    float delta = min(TIMEDELTA, 0.1);
    vec4 before = FRAMEINDEX == 0 ? vec4(0.0) : texelFetch(plate, ivec2(gl_FragCoord.xy), 0);
    // Lines last until they are cut again, and little longer: what moves leaves no ghost.
    float lasting = max(0.7, archiveCount * 0.0055);
    vec3 after = before.rgb * exp2(-delta / vec3(lasting, mix(1.5, 30.0, feedback), mix(0.8, 16.0, feedback)));
    float lines = 0.0;
    for (int i = 0; i < LINES_A_FRAME; i++) {
        if (count() == 0) break;
        int column = (FRAMEINDEX * LINES_A_FRAME + i) % max(count(), LINES_A_FRAME);
        if (column >= count()) continue;
        vec2 star = texelFetch(archiveMap, ivec2(column, 0), 0).xy;
        vec4 origin = texelFetch(archiveMap, ivec2(column, 1), 0);
        lines = max(lines, stroke(at, star, origin.xy, 0.0034) * (0.35 + 0.65 * origin.w));
    }
    vec4 drawn = texelFetch(pen, ivec2(0), 0);
    float path = stroke(at, drawn.xy, drawn.zw, 0.0042) * step(1e-9, dot(drawn.zw, drawn.zw));
    vec2 off = at - playing;
    float bloom = exp(-dot(off, off) * 26.0) * loudness() * delta * 0.9;
    after.r = max(after.r, lines);
    after.g = max(after.g, path * step(0.5, float(count())));
    after.b = (after.b + bloom) / (1.0 + delta * 0.6 * after.b);
    return vec4(after, 1.0);
}

// The limb: each of its lines is as long as its part of the spectrum is strong.
vec4 hatched() {
    float along = abs(gl_FragCoord.x / 180.0 * 2.0 - 1.0);
    float now = IMG_NORM_PIXEL(spectrogram, vec2(0.03 + 0.80 * along, 0.5 / 256.0)).r;
    float before = FRAMEINDEX == 0 ? 0.0 : texelFetch(limb, ivec2(gl_FragCoord.xy), 0).r;
    float delta = min(TIMEDELTA, 0.1);
    return vec4(mix(now, before, exp(-delta / (now > before ? 0.06 : 0.7))), 0.0, 0.0, 1.0);
}

// One of the stars at `off` from its middle, in chart units; `px` is a pixel. rgb light.
vec3 star(vec2 off, int column, float px) {
    vec4 here = texelFetch(archiveMap, ivec2(column, 0), 0);
    vec4 more = texelFetch(archiveMap, ivec2(column, 1), 0);
    float rare = clamp((here.z - 0.44) * 5.5, 0.0, 1.0);
    float size = 0.0046 + 0.0125 * rare * rare;
    float far = length(off);
    vec3 tint = mix(YOUNG, OLD, here.w);
    float disc = smoothstep(size + px * 0.7, size - px * 0.7, far);
    float ring = smoothstep(px * 1.1, 0.0, abs(far - size * 0.9));
    // The great ones have rays, as engravers cut them.
    float rays = 0.0;
    if (rare > 0.35) {
        vec2 cross_ = vec2(off.x + off.y, off.x - off.y) * 0.7071;
        vec2 thin = min(abs(off), abs(off.yx));
        float upright = smoothstep(px, 0.0, thin.x) * smoothstep(size * 2.6, size, far);
        float slanted = smoothstep(px, 0.0, min(abs(cross_.x), abs(cross_.y))) * smoothstep(size * 1.8, size, far);
        rays = max(upright, 0.7 * slanted);
    }
    float glow = 0.08 * exp(-far * far / (size * size * 7.0));
    float shape = more.z > 0.5 ? max(disc, rays) : 0.55 * ring;
    float heat = more.w;
    return tint * (shape * (0.55 + 0.45 * rare + 0.8 * heat) + glow * (1.0 + 3.0 * heat));
}

vec3 stars(vec2 at, float px) {
    vec2 cell = (at / WIDE * 0.5 + 0.5) * CELLS;
    if (min(cell.x, cell.y) < 0.0 || max(cell.x, cell.y) >= CELLS) return vec3(0.0);
    vec4 found = texelFetch(index, ivec2(cell), 0);
    vec3 light = vec3(0.0);
    for (int i = 0; i < 4; i++) {
        int column = int(found[i] + 0.5) - 1;
        if (column < 0 || column >= count()) break;
        light = max(light, star(at - texelFetch(archiveMap, ivec2(column, 0), 0).xy, column, px));
    }
    return light;
}

float hair(float off, float px) {
    return smoothstep(px * 1.15, px * 0.15, abs(off));
}

// The graticule about the middle: hours and parallels, dotted where they are minor.
float graticule(vec2 at, float px) {
    float far = length(at);
    float angle = atan(at.y, at.x);
    float hour = angle / PI * 12.0;
    float nearest = (fract(hour + 0.5) - 0.5) * PI / 12.0 * far;
    float major = step(abs(mod(floor(hour + 0.5), 6.0)), 0.5);
    float meridian = hair(nearest, px * 0.9) * mix(0.42 * step(0.5, fract(far * 60.0)), 0.85, major) * smoothstep(0.10, 0.16, far);
    float parallel = fract(far * 4.0 + 0.5) - 0.5;
    float circles = hair(parallel / 4.0, px * 0.9) * smoothstep(0.12, 0.2, far) * (0.35 + 0.35 * step(0.5, fract(angle * 28.6479)));
    // The ecliptic of this sky: a circle out of the middle.
    float ecliptic = hair(length(at - vec2(0.12, -0.09)) - 0.72, px) * step(0.35, fract(atan(at.y + 0.09, at.x - 0.12) * 19.0986));
    return max(max(meridian, circles), 0.8 * ecliptic);
}

// Light on the chart at `at` (its circle is 1), of which a pixel is `px`.
vec3 chart(vec2 at, float px) {
    vec3 cut = IMG_NORM_PIXEL(plate, at / WIDE * 0.5 + 0.5).rgb;
    float cloud = grain(at * 3.1 + 4.0) * 0.55 + grain(at * 7.3 + 1.0) * 0.30 + grain(at * 17.0) * 0.15;
    float river = exp(-pow((at.x * 0.62 + at.y * 0.78 + 0.25 * (cloud - 0.5) * 2.0) * 2.6, 2.0));
    vec3 light = INDIGO * (0.75 + 0.5 * cloud) + vec3(0.030, 0.042, 0.085) * river * cloud * (0.9 + 1.2 * loudness());
    light += vec3(0.12, 0.15, 0.30) * (1.0 - exp(-cut.b * 1.6)) + vec3(0.20, 0.13, 0.05) * cut.b * 0.35;
    light += INK * 0.17 * graticule(at, px);
    light += INK * 0.20 * cut.r + OLD * 0.55 * cut.g;
    light += stars(at, px) * 0.95;
    // The one that sounds: a halo, and a ring that closes as it comes to its end.
    vec2 off = at - playing;
    float far = length(off);
    float sound = loudness();
    float here = playingIndex > -0.5 || archiveCount < 0.5 ? 1.0 : 0.35;
    light += vec3(1.0, 0.84, 0.62) * here * sound * (0.16 * exp(-far * far * 70.0) + 0.24 * exp(-far * far * 600.0));
    float angle = fract(atan(off.x, off.y) / (2.0 * PI) + 1.0);
    light += OLD * here * hair(far - 0.052, px * 1.1) * (angle < progress ? 0.85 : 0.22);
    light += OLD * here * hair(far - 0.052 - 0.05 * onset, px) * onset * 0.6;
    return light;
}

// Frame of a chart at `far` from its middle in units of it: two lines and the hatching between; `ticks` of it round.
vec3 framed(vec2 at, float px) {
    float far = length(at);
    float turn = fract(atan(at.x, at.y) / (2.0 * PI) + 0.5);
    float number = floor(turn * 180.0);
    float level = texelFetch(limb, ivec2(number, 0), 0).r;
    float side = (fract(turn * 180.0) - 0.5) / 180.0 * 2.0 * PI * far;
    float longer = mod(number, 15.0) < 0.5 ? 0.020 : mod(number, 5.0) < 0.5 ? 0.013 : 0.007;
    float tick = hair(side, px * 1.1) * step(1.035, far) * step(far, 1.035 + longer + 0.085 * level * level);
    float lines = hair(far - 1.02, px) + hair(far - 1.035, px * 0.9) + 0.5 * hair(far - 1.145, px);
    return INK * 0.50 * lines + mix(INK, OLD, level) * tick * (0.38 + 0.62 * level);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

vec4 seen() {
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 at = (isf_FragNormCoord * 2.0 - 1.0) * vec2(aspect, 1.0);
    // The great chart to the right, the lens to the left below; in an upright picture one above the other.
    bool upright = aspect < 1.3;
    float radius = upright ? min(0.80 * aspect, 0.62) : 0.85;
    vec2 middle = upright ? vec2(0.0, 0.94 - radius * 1.16) : vec2(aspect - 1.10, 0.0);
    float small = upright ? 0.30 * min(aspect, 1.0) : 0.37 * min(1.0, (aspect - 0.9) / 0.85);
    vec2 corner = upright ? vec2(-aspect + small * 1.3, -0.94 + small * 1.1) : vec2(-aspect + small + 0.14, -0.86 + small);
    float paper = grain(at * 90.0) * 0.6 + grain(at * 23.0) * 0.4;
    vec3 light = vec3(0.012, 0.017, 0.046) * (0.80 + 0.4 * paper) * (1.15 - 0.25 * dot(at, at) / (aspect * aspect));
    float px = 2.0 / RENDERSIZE.y;
    vec2 great = (at - middle) / radius;
    vec2 lens = (at - corner) / small;
    // The sky drifts: the chart sways about its pole, and its frame stays.
    float angle = 0.10 * sin(TIME * 0.03125);
    mat2 sway = mat2(cos(angle), sin(angle), -sin(angle), cos(angle));
    bool magnified = length(lens) < 1.0;
    if (length(great) < 1.02 || magnified) {
        vec2 looked = magnified ? playing + sway * lens * 0.22 : sway * great;
        light = chart(looked, magnified ? px / small * 0.22 : px / radius);
        if (!magnified) light *= 1.0 - 0.35 * smoothstep(0.75, 1.02, length(great));
        else light *= 1.1 - 0.5 * dot(lens, lens) * dot(lens, lens);
    }
    if (length(great) > 1.0) light += framed(great, px / radius);
    float rim = length(lens) - 1.0;
    light += INK * 0.55 * (hair(rim, px / small) + 0.6 * hair(rim - 0.035, px / small));
    // From the lens to what it shows, two hairs.
    vec2 shown = middle + transpose(sway) * playing * radius;
    vec2 to = shown - corner;
    vec2 aside = normalize(vec2(-to.y, to.x) + 1e-5);
    for (int i = 0; i < 2; i++) {
        float way = i == 0 ? 1.0 : -1.0;
        vec2 a = corner + aside * small * way, b = shown + aside * radius * 0.052 * way;
        light += OLD * 0.14 * stroke(at, a, b, px * 0.8) * step(1.04, length(lens)) * (0.25 + 0.75 * step(1.02, length(great)));
    }
    light = hued(light) * brightness * 1.25;
    float lit = dot(light, vec3(0.30, 0.50, 0.20)) + 1e-5;
    float shownLight = 1.0 - exp(-lit * 1.35);
    vec3 colour = light * shownLight / lit;
    return vec4(mix(min(colour, 1.0), vec3(shownLight), 0.35 * shownLight * shownLight), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = indexed();
    else if (PASSINDEX == 1) gl_FragColor = penned();
    else if (PASSINDEX == 2) gl_FragColor = engraved();
    else if (PASSINDEX == 3) gl_FragColor = hatched();
    else gl_FragColor = seen();
}
