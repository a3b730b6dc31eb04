/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A flock at nightfall. Thousands of birds, each of which knows only its neighbours; the loud draws them together and hurries them, each strike goes through them as fear of a hawk does.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Simulation"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "latentTrail", "TYPE": "image"},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 100, "RELEASE_MS": 1200},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 800, "RELEASE_MS": 2000},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 20, "RELEASE_MS": 300},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 3000, "RELEASE_MS": 3000},
    {"NAME": "band1", "TYPE": "float", "ATTACK_MS": 120, "RELEASE_MS": 700},
    {"NAME": "band3", "TYPE": "float", "ATTACK_MS": 120, "RELEASE_MS": 700},
    {"NAME": "band5", "TYPE": "float", "ATTACK_MS": 120, "RELEASE_MS": 700}
  ],
  "PASSES": [
    {"TARGET": "guide", "PERSISTENT": true, "FLOAT": true, "WIDTH": 1, "HEIGHT": 1},
    {"TARGET": "birds", "PERSISTENT": true, "FLOAT": true, "WIDTH": 192, "HEIGHT": 108},
    {"TARGET": "trace", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor($WIDTH / 2)", "HEIGHT": "floor($HEIGHT / 2)"},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.
//
// A texel of `birds` is a place of the sky. It holds how many birds are there and where in it they are: x is their
// number plus their place across, 0..1, y their place up, zw their way a frame, in places. Each frame every place looks
// at those around it for who has come. Birds that meet in one place part again, so their number is always the same.

const ivec2 PLACES = ivec2(192, 108);

const vec3 ZENITH = vec3(0.016, 0.026, 0.060);
const vec3 DUSK = vec3(0.125, 0.075, 0.100);
const vec3 EMBER = vec3(0.52, 0.20, 0.085);
const vec3 WING = vec3(1.00, 0.86, 0.72);

float hash(vec3 p) {
    p = fract(p * vec3(0.1731, 0.2297, 0.1913));
    p += dot(p, p.yzx + 29.13);
    return fract((p.x + p.y) * p.z);
}

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() {
    return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
}

// Where the flock is drawn to (xy, places) and how that moves (zw): along a slow loop, which the latents bend.
vec4 guided() {
    vec2 pair = vec2(0.0);
    float columns = IMG_SIZE(latentTrail).x;
    for (int i = 0; i < 8; i++) {
        float y = (float(i) * 6.0 + 0.5) / 256.0;
        pair += vec2(IMG_NORM_PIXEL(latentTrail, vec2(0.5 / columns, y)).r, IMG_NORM_PIXEL(latentTrail, vec2(1.5 / columns, y)).r) / 8.0;
    }
    pair = pair / (1.0 + 0.6 * length(pair));
    float t = TIME * 0.25;
    vec2 loop_ = vec2(sin(t) + 0.35 * sin(t * 2.5 + 1.0), 0.8 * sin(t * 1.5 + 0.6)) * vec2(36.0, 13.0);
    vec2 goal = vec2(96.0, 58.0) + loop_ + pair * vec2(26.0, 15.0);
    vec4 before = texelFetch(guide, ivec2(0), 0);
    if (FRAMEINDEX == 0) return vec4(goal, 0.0, 0.0);
    float delta = min(TIMEDELTA, 0.1);
    vec2 now = mix(goal, before.xy, exp(-delta / 0.8));
    return vec4(now, mix((now - before.xy), before.zw, 0.8));
}

vec4 bird(ivec2 at) {
    return any(lessThan(at, ivec2(0))) || any(greaterThanEqual(at, PLACES)) ? vec4(0.0) : texelFetch(birds, at, 0);
}

// Where those of place `at` go, the half `half_` of them when there are many.
vec2 landing(ivec2 at, vec4 here, int half_) {
    float many = floor(here.x);
    vec2 to = vec2(at) + vec2(here.x - many, here.y) + here.zw;
    if (many > 1.5) {
        float angle = 6.2831853 * hash(vec3(vec2(at), mod(float(FRAMEINDEX), 1024.0)));
        to += (half_ == 0 ? 0.55 : -0.55) * vec2(cos(angle), sin(angle));
    }
    vec2 near = vec2(at);
    to = clamp(to, near - 0.999, near + 1.999);
    return clamp(to, vec2(0.001), vec2(PLACES) - 0.001);
}

vec4 flown() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    if (FRAMEINDEX == 0) {
        vec2 off = (vec2(at) - vec2(96.0, 58.0)) / vec2(52.0, 24.0);
        float here = step(hash(vec3(vec2(at), 3.0)), 0.60 * exp(-dot(off, off) * 1.3)) * step(dot(off, off), 2.2);
        return vec4(here + 0.5, 0.5, 0.3 * off.y, -0.2 * off.x);
    }
    // Who has come: their number, their mean place and way.
    float many = 0.0;
    vec4 sum = vec4(0.0);
    vec2 middle = vec2(0.0), way = vec2(0.0), apart = vec2(0.0);
    float crowd = 0.0;
    for (int y = -2; y <= 2; y++) {
        for (int x = -2; x <= 2; x++) {
            ivec2 from = at + ivec2(x, y);
            vec4 there = bird(from);
            float number = floor(there.x);
            if (number < 0.5) continue;
            if (max(abs(x), abs(y)) < 2) {
                float half_ = number > 1.5 ? floor(number * 0.5) : number;
                for (int part = 0; part < 2; part++) {
                    float share = part == 0 ? half_ : number - half_;
                    if (share < 0.5) break;
                    vec2 to = landing(from, there, part);
                    if (ivec2(floor(to)) != at) continue;
                    many += share;
                    sum += share * vec4(to - vec2(at), there.zw);
                }
            }
            vec2 off = vec2(x, y) + vec2(fract(there.x), there.y) - 0.5;
            float close = dot(off, off) + 0.15;
            crowd += number;
            middle += number * off;
            way += number * there.zw;
            if (close > 0.16) apart -= number * off / close;
        }
    }
    if (many < 0.5) return vec4(0.5, 0.5, 0.0, 0.0);
    vec4 mean_ = sum / many;
    float delta = min(TIMEDELTA, 0.05) * 30.0;
    vec2 place = vec2(at) + mean_.xy;
    vec2 velocity = mean_.zw;
    vec4 leader = texelFetch(guide, ivec2(0), 0);
    float loud = loudness();
    // Each with its neighbours: the same way, not too near, and towards where more of them are.
    velocity = mix(velocity, way / crowd, 0.22 * delta);
    velocity += (apart * (0.017 + 0.012 * onset) + middle / crowd * 0.006) * delta;
    // The roost draws those that are far; the loud draws closer.
    vec2 home = (leader.xy - place) / vec2(1.0, 0.62);
    float far = length(home) + 1e-3;
    velocity += home / far * delta * (0.010 + 0.020 * loud) * smoothstep(8.0, 60.0 - 22.0 * loud, far);
    // They wheel about it, and layers of air shear them into sheets.
    float t = TIME * 0.5;
    velocity += vec2(-home.y, home.x * 0.5) / far * delta * 0.012 * (0.4 + band1) * sin(t * 0.25 + 1.0);
    vec2 wind = vec2(sin(place.y * 0.105 + t + 1.7 * sin(place.x * 0.031)), cos(place.x * 0.083 - t * 1.25 + 1.3 * sin(place.y * 0.05)));
    velocity += wind * delta * (0.007 + 0.020 * band3);
    // A strike is a hawk: it stoops through the middle of them, and they part from its way.
    float ring = far - 10.0;
    velocity -= home / far * delta * onset * 0.13 * exp(-ring * ring / 260.0);
    velocity += (vec2(hash(vec3(place, 1.0 + mod(float(FRAMEINDEX), 997.0))), hash(vec3(place, 2.0 + mod(float(FRAMEINDEX), 991.0)))) - 0.5) * delta * (0.07 + 0.12 * band5);
    // Away from the edges and the ground.
    vec2 room = vec2(12.0, 16.0);
    velocity += (max(vec2(0.0), room - place) - max(vec2(0.0), place - vec2(PLACES) + room)) * 0.004 * delta;
    float speed = length(velocity) + 1e-5;
    float wanted = (0.26 + 0.34 * loud) * delta;
    velocity *= mix(speed, clamp(speed, wanted * 0.7, wanted * 1.5), 0.4) / speed;
    velocity *= min(1.0, 0.98 / max(length(velocity), 1e-5));
    vec2 in_ = clamp(mean_.xy, vec2(0.001), vec2(0.998));
    return vec4(many + in_.x, in_.y, velocity);
}

// How much of the pixel birds cover: each a stroke along its way, `thin` wide, in places.
float covered(vec2 at, float thin) {
    ivec2 cell = ivec2(floor(at));
    float light = 0.0;
    for (int y = -1; y <= 1; y++) {
        for (int x = -1; x <= 1; x++) {
            vec4 there = bird(cell + ivec2(x, y));
            float number = floor(there.x);
            if (number < 0.5) continue;
            vec2 off = at - vec2(cell + ivec2(x, y)) - vec2(there.x - number, there.y);
            vec2 way = there.zw / (length(there.zw) + 1e-4);
            float along = dot(off, way), aside = dot(off, vec2(-way.y, way.x));
            light += min(number, 3.0) * exp(-(along * along * 0.16 + aside * aside) / (thin * thin));
        }
    }
    return light;
}

// What the flock leaves in the air: r the last light on its wings, which fades, drifting.
vec4 traced() {
    float delta = min(TIMEDELTA, 0.1);
    vec2 drift = vec2(0.004, -0.002) * delta;
    float before = FRAMEINDEX == 0 ? 0.0 : IMG_NORM_PIXEL(trace, isf_FragNormCoord - drift).r;
    before *= exp2(-delta / mix(0.10, 3.2, feedback * feedback));
    float now = covered(isf_FragNormCoord * vec2(PLACES), 0.50);
    float after = before + now * delta * (1.5 + 6.0 * loudness());
    return vec4(after / (1.0 + delta * 0.9 * after), 0.0, 0.0, 1.0);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

// Trees along the ground.
float ground(float x) {
    float crowns = abs(sin(x * 7.0 + 1.5 * sin(x * 3.0))) * 0.030 + abs(sin(x * 23.0 + 2.0 * sin(x * 5.0))) * 0.014;
    return 0.035 + 0.020 * sin(x * 2.2 + 0.6) + crowns * (0.4 + 0.6 * sin(x * 1.3 + 2.0) * sin(x * 1.3 + 2.0));
}

vec4 seen() {
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 at = isf_FragNormCoord;
    float x = (at.x - 0.5) * aspect;
    float warm = exp(-at.y * 3.6);
    float sun = exp(-(x + 0.35) * (x + 0.35) * 1.6);
    float loud = loudness();
    vec3 light = mix(ZENITH, DUSK, exp(-at.y * 1.5)) + EMBER * warm * (0.26 + 0.62 * sun) * (0.55 + 0.35 * loud);
    // Bands of high cloud, barely.
    float cloud = 0.5 + 0.5 * sin(at.y * 21.0 + 1.6 * sin(x * 1.9 + TIME * 0.03125) + 0.8 * sin(x * 4.3));
    light *= 0.90 + 0.16 * cloud * smoothstep(0.08, 0.4, at.y);
    float left = IMG_THIS_PIXEL(trace).r;
    vec3 glow = mix(mix(EMBER * 1.5, WING, 0.35), vec3(0.62, 0.74, 1.0), centroid * 0.45 * smoothstep(0.2, 0.8, at.y));
    light += glow * (1.0 - exp(-left * 0.85)) * 0.27;
    float here = min(covered(at * vec2(PLACES), 0.25), 1.6);
    // Against their own light the birds are dark; against the dark sky they still have some. Their light is kept low, for
    // thousands of dark wings passing before a bright one would flicker.
    float behind = dot(light, vec3(0.3, 0.5, 0.2));
    vec3 body = mix(WING * 0.55, vec3(0.012, 0.010, 0.016), smoothstep(0.05, 0.22, behind));
    light = mix(light, body, min(here * 0.85, 0.86));
    float trees = smoothstep(0.004, -0.004, at.y - ground(x));
    light = mix(light, vec3(0.006, 0.005, 0.009), trees);
    light = hued(light) * brightness * 1.4;
    float lit = dot(light, vec3(0.30, 0.50, 0.20)) + 1e-5;
    float shown = 1.0 - exp(-lit * 1.25);
    vec3 colour = light * shown / lit;
    return vec4(mix(min(colour, 1.0), vec3(shown), 0.4 * shown * shown), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = guided();
    else if (PASSINDEX == 1) gl_FragColor = flown();
    else gl_FragColor = PASSINDEX == 2 ? traced() : seen();
}
