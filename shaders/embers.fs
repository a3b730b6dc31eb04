/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A bell's rim seen from below. It bends in as many waves as the band that sounds, and what it sheds drifts off as glowing smoke.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 90, "RELEASE_MS": 300},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 300, "RELEASE_MS": 900},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 700},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 2000, "RELEASE_MS": 2000},
    {"NAME": "band0", "TYPE": "float", "ATTACK_MS": 120, "RELEASE_MS": 700},
    {"NAME": "band1", "TYPE": "float", "ATTACK_MS": 120, "RELEASE_MS": 700},
    {"NAME": "band2", "TYPE": "float", "ATTACK_MS": 100, "RELEASE_MS": 600},
    {"NAME": "band3", "TYPE": "float", "ATTACK_MS": 100, "RELEASE_MS": 600},
    {"NAME": "band4", "TYPE": "float", "ATTACK_MS": 80, "RELEASE_MS": 500},
    {"NAME": "band5", "TYPE": "float", "ATTACK_MS": 80, "RELEASE_MS": 500},
    {"NAME": "band6", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 400},
    {"NAME": "band7", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 400}
  ],
  "PASSES": [
    {"TARGET": "smoke", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor($WIDTH / 2)", "HEIGHT": "floor($HEIGHT / 2)"},
    {}
  ]
}*/

// Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.

const vec3 OXBLOOD = vec3(0.80, 0.10, 0.04);
const vec3 COPPER = vec3(0.95, 0.43, 0.13);
const vec3 VERDIGRIS = vec3(0.06, 0.56, 0.58);

// Where the pixel is: the picture's height is 2, its middle the origin.
vec2 place() {
    return (isf_FragNormCoord * 2.0 - 1.0) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
}

vec2 turned(vec2 one, vec2 other) {
    return vec2(one.x * other.x - one.y * other.y, one.x * other.y + one.y * other.x);
}

// Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
float loudness() {
    return clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
}

// Radius of the rim in direction `out_`: a circle bent by bands 0..5 in 2..7 waves round it, each turning in its own way.
float rim(vec2 out_) {
    vec2 turn = vec2(cos(TIME * 0.0625), sin(TIME * 0.0625));
    vec2 turn2 = turned(turn, turn);
    vec2 turn3 = turned(turn2, turn);
    vec2 two = turned(out_, out_);
    vec2 three = turned(two, out_);
    vec2 four = turned(two, two);
    vec2 five = turned(three, two);
    float bend = 0.075 * band0 * dot(two, turn3)
               + 0.062 * band1 * dot(three, turned(turn2, turn2) * vec2(1.0, -1.0))
               + 0.052 * band2 * dot(four, turned(turn3, turn2))
               + 0.044 * band3 * dot(five, turned(turn3, turn3) * vec2(1.0, -1.0))
               + 0.036 * band4 * dot(turned(three, three), turned(turn3, turned(turn3, turn2)))
               + 0.030 * band5 * dot(turned(five, two), turned(turn3, turned(turn3, turn3)) * vec2(1.0, -1.0));
    return 0.50 + 0.06 * loudness() + bend;
}

// Flow of air, the curl of a stream function and so without sources: two scales of slow eddies, a turn, a rise.
vec2 air(vec2 at) {
    float t = TIME * 0.125;
    vec2 a = at * 2.1 + vec2(t, -t * 0.5);
    vec2 b = at.yx * 4.7 + vec2(sin(a.x) - t * 1.5, t);
    vec2 wide = vec2(-sin(a.x) * sin(a.y), -cos(a.x) * cos(a.y));
    vec2 fine = vec2(cos(b.x) * cos(b.y), sin(b.x) * sin(b.y));
    return wide * 0.13 + fine * (0.05 + 0.08 * centroid) + vec2(-at.y, at.x) * 0.09 + vec2(0.0, 0.03);
}

// The smoke: rgb its glow, a its distance from the rim, for the next pass.
vec4 shed(vec2 at) {
    float radius = length(at) + 1e-4;
    vec2 out_ = at / radius;
    float off = radius - rim(out_);
    float delta = min(TIMEDELTA, 0.1);

    // The rim drives its smoke outward, harder when struck; away from it the air decides.
    float near = exp(-off * off * 9.0);
    vec2 wind = air(at) + out_ * (0.02 + near * (0.03 * loudness() + 0.35 * onset));
    vec2 from = (at - wind * delta) / vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) * 0.5 + 0.5;
    float half_life = mix(0.3, 6.5, feedback * feedback);
    vec3 before = IMG_NORM_PIXEL(smoke, from).rgb * exp2(-delta / half_life);

    // Shed unevenly: what leaves the rim is in strands, and each part of it has its own colour.
    vec2 three = turned(turned(out_, out_), out_);
    vec2 nine = turned(turned(three, three), three);
    float strand = dot(turned(nine, turned(three, three)), vec2(cos(TIME * 0.5 + 9.0 * off), sin(TIME * 0.5)));
    float side = 0.5 + 0.5 * dot(three, vec2(cos(TIME * 0.25), sin(TIME * 0.25)));
    vec3 tint = OXBLOOD * (0.25 + 0.5 * (band0 + band1)) * (1.0 - 0.6 * side)
              + COPPER * 0.55 * (band2 + band3 + band4) * side * side
              + VERDIGRIS * 0.8 * (band4 + band5 + band6 + band7) * (1.0 - side) * (1.0 - side);
    float life = 0.08 + 1.2 * loudness() * loudness() + 2.2 * onset;
    vec3 now = tint * exp(-off * off * 2200.0) * (0.6 + 0.4 * strand) * life * 2.2;
    vec3 after = before + now * delta;
    // What is dense cools faster: the glow settles, however long the sound.
    after /= 1.0 + delta * 0.7 * dot(after, vec3(0.4));
    return vec4(after, off);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

vec4 seen(vec2 at) {
    vec2 step_ = 1.5 / IMG_SIZE(smoke);
    vec4 here = IMG_THIS_PIXEL(smoke);
    vec3 up = IMG_NORM_PIXEL(smoke, isf_FragNormCoord + vec2(0.0, step_.y)).rgb;
    vec3 aside = IMG_NORM_PIXEL(smoke, isf_FragNormCoord + vec2(step_.x, 0.0)).rgb;

    // Lit a little from one side by its own slope, so that smoke has folds and not only density.
    float fold = dot(here.rgb * 2.0 - up - aside, vec3(1.1)) / (0.10 + dot(here.rgb, vec3(0.8)));
    vec3 light = here.rgb * (1.0 + clamp(fold, -0.6, 1.0));
    float edge = exp(-abs(here.a) * 190.0) * (0.04 + 0.40 * loudness() + 0.4 * onset);
    light += vec3(1.0, 0.42, 0.15) * edge;
    light += vec3(0.016, 0.021, 0.026) * smoothstep(0.02, -0.5, here.a);
    light += vec3(0.012, 0.010, 0.013) * max(0.0, 1.3 - length(at) * 0.6);
    light = hued(light) * brightness * 1.9;

    // Brightness saturates, colour hardly does: only the hottest smoke pales.
    float lit = dot(light, vec3(0.35, 0.45, 0.20)) + 1e-5;
    float shown = 1.0 - exp(-lit);
    vec3 colour = light * shown / lit;
    colour = mix(colour, vec3(shown), 0.55 * shown * shown);
    return vec4(pow(min(colour, 1.0), vec3(1.12)), 1.0);
}

void main() {
    gl_FragColor = PASSINDEX == 0 ? shed(place()) : seen(place());
}
