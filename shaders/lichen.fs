/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Lichen on a stone at night. What is struck drops a spore where the latents point, and it grows as a reaction and a diffusion let it: the brightness and the strangeness of the sound decide whether as rosettes, mazes or dots. In silence it starves and leaves its crust. The light rakes over the stone as loud as the sound is, from where the trajectory has come to.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Audio Reactive", "Feedback"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "feedback", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "latentTrail", "TYPE": "image"},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 250, "RELEASE_MS": 900},
    {"NAME": "onset", "TYPE": "float", "ATTACK_MS": 0, "RELEASE_MS": 150},
    {"NAME": "centroid", "TYPE": "float", "ATTACK_MS": 1200, "RELEASE_MS": 1200},
    {"NAME": "flux", "TYPE": "float", "ATTACK_MS": 60, "RELEASE_MS": 400},
    {"NAME": "sparseness", "TYPE": "float", "ATTACK_MS": 2500, "RELEASE_MS": 2500},
    {"NAME": "progress", "TYPE": "float", "ATTACK_MS": 1500, "RELEASE_MS": 1500}
  ],
  "PASSES": [
    {"TARGET": "spores", "PERSISTENT": true, "FLOAT": true, "WIDTH": 2, "HEIGHT": 1},
    {"TARGET": "stone", "PERSISTENT": true, "FLOAT": true},
    {"TARGET": "thallus", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT*9/20, 54, 162)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT*9/20, 54, 162)"},
    {"TARGET": "thallus", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT*9/20, 54, 162)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT*9/20, 54, 162)"},
    {"TARGET": "thallus", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT*9/20, 54, 162)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT*9/20, 54, 162)"},
    {"TARGET": "thallus", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT*9/20, 54, 162)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT*9/20, 54, 162)"},
    {"TARGET": "thallus", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT*9/20, 54, 162)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT*9/20, 54, 162)"},
    {"TARGET": "thallus", "PERSISTENT": true, "FLOAT": true, "WIDTH": "clamp($HEIGHT*9/20, 54, 162)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT*9/20, 54, 162)"},
    {"TARGET": "skin", "FLOAT": true, "WIDTH": "clamp($HEIGHT*9/20, 54, 162)*$WIDTH/$HEIGHT", "HEIGHT": "clamp($HEIGHT*9/20, 54, 162)"},
    {}
  ]
}*/

// The reaction is that of Gray and Scott, parameters after Pearson (1993): thallus r is the food eaten (so that a new
// texture is a fresh stone), g what grows, b the crust it leaves, the older the thicker, a its species 0..1.

const float STEPS = 6.0;

const vec3 SLATE = vec3(0.050, 0.058, 0.072);
const vec3 IRON = vec3(0.135, 0.092, 0.070);
const vec3 SULPHUR = vec3(0.44, 0.45, 0.17);
const vec3 ORANGE = vec3(0.70, 0.28, 0.05);
const vec3 MINT = vec3(0.42, 0.50, 0.45);

float aspect() { return IMG_SIZE(thallus).x / IMG_SIZE(thallus).y; }

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

float latent(float number) {
    vec2 size = IMG_SIZE(latentTrail);
    return IMG_NORM_PIXEL(latentTrail, vec2((mod(number, size.x) + 0.5) / size.x, 2.5 / 256.0)).r;
}

// Texel 0: where a spore has just fallen, how large it is, its species. Texel 1: the onset then, how many have fallen.
vec4 sown() {
    vec4 before = texelFetch(spores, ivec2(1, 0), 0);
    float rise = onset - before.x;
    bool fallen = rise > 0.06;
    float count = fallen ? mod(before.y + 1.0, 4096.0) : before.y;
    if (gl_FragCoord.x > 1.0) return vec4(onset, count, 0.0, 1.0);
    if (!fallen) return vec4(0.0);
    vec2 shaken = vec2(chance(vec2(count, 3.0)), chance(vec2(count, 17.0))) - 0.5;
    vec2 pointed = vec2(latent(0.0), latent(1.0));
    vec2 at = 0.5 + 0.22 * pointed / (1.0 + 0.3 * abs(pointed)) + shaken * vec2(0.55, 0.6);
    float kind = 0.5 + 0.5 * latent(2.0) / (1.0 + abs(latent(2.0)));
    return vec4(at, 0.016 + 0.05 * min(1.0, rise), kind);
}

// The stone is hewn once: r its relief, g its mineral, b how barren it is, a - 1 its grain. It is read for as long as the drawing is shown.
vec4 hewn() {
    vec4 before = texelFetch(stone, ivec2(gl_FragCoord.xy), 0);
    bool fresh = before.a < 0.5;
    vec2 at = isf_FragNormCoord * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) * 2.2;
    vec2 bent = at + 0.22 * sin(at.yx * vec2(2.3, 1.7) + vec2(1.0, 4.0));
    float relief = 0.0, size = 0.5, crack = 1.0;
    vec3 patch_ = vec3(0.0);
    // Of the patches two scales each: how barren, which mineral, what grain.
    float scales[6] = float[6](0.9, 2.3, 2.0, 6.0, 41.0, 83.0);
    mat2 turn = mat2(0.8, 0.6, -0.6, 0.8);
    // In a loop of no turns where the stone is there already: a software renderer skips that, but no branch.
    int turns = fresh ? 6 : 0;
    for (int i = 0; i < turns; i++) {
        float here = rough(bent);
        relief += size * here;
        if (i == 1 || i == 2) crack = min(crack, abs(here - 0.5) * 3.0 + 0.6 * rough(bent * 0.7 + 11.0));
        float spot = rough(at * scales[i] + 31.0 + 7.0 * float(i)) * (0.63 - 0.26 * float(i & 1));
        patch_[i >> 1] += spot;
        bent = turn * bent * 2.03 + 3.7;
        size *= 0.5;
    }
    relief -= 0.035 * smoothstep(0.24, 0.14, crack);
    return fresh ? vec4(relief, patch_.yx, 1.0 + patch_.z) : before;
}

vec4 near(ivec2 at) { return texelFetch(thallus, clamp(at, ivec2(0), textureSize(thallus, 0) - 1), 0); }

vec4 grown() {
    ivec2 cell = ivec2(gl_FragCoord.xy);
    vec4 here = texelFetch(thallus, cell, 0);
    vec4 left = near(cell - ivec2(1, 0)), right = near(cell + ivec2(1, 0));
    vec4 under = near(cell - ivec2(0, 1)), over = near(cell + ivec2(0, 1));
    vec2 spread = 0.25 * (left.rg + right.rg + under.rg + over.rg) - here.rg;
    vec4 alive = vec4(left.g, right.g, under.g, over.g);
    float living = dot(alive, vec4(1.0));

    // Bright sounds feed it more; strange ones make it hard to live, so that it breaks up; in silence it starves, and
    // where the stone is barren it hardly ever lives. Half the root less the food is where a plant alone just lives.
    vec4 ground = IMG_NORM_PIXEL(stone, isf_FragNormCoord);
    float fed = mix(0.026, 0.052, smoothstep(0.4, 0.95, centroid)) + 0.010 * (ground.g - 0.5);
    float hard = mix(0.0004, 0.0028, sparseness) + 0.009 * smoothstep(0.46, 0.60, ground.b);
    // The old dies from its middle, so that it goes on as rings and leaves room for what comes after.
    hard += 0.012 * smoothstep(0.45, 0.9, here.b);
    hard += 0.0040 * (1.0 - smoothstep(0.02, 0.25, loudness()));
    float kill = 0.5 * sqrt(fed) - fed + hard * clamp(0.045 / fed, 0.75, 1.6);
    float pace = min(TIMEDELTA * 60.0, 2.0);
    float food = 1.0 - here.r, plant = here.g;
    float eaten = food * plant * plant;
    food += pace * (-0.36 * spread.r - eaten + fed * (1.0 - food));
    plant += pace * (0.18 * spread.g + eaten - (fed + kill) * plant);

    vec4 spore = texelFetch(spores, ivec2(0), 0);
    float kind = living > 1e-3 ? mix(here.a, dot(alive, vec4(left.a, right.a, under.a, over.a)) / living, 0.6) : here.a;
    if (PASSINDEX == 2 && spore.z > 0.0) {
        vec2 off = (isf_FragNormCoord - spore.xy) * vec2(aspect(), 1.0);
        float ragged = 0.6 + 0.8 * chance(vec2(cell) + spore.xy * 91.0);
        if (length(off) < spore.z * ragged) {
            plant = max(plant, 0.5);
            food = min(food, 0.5);
            kind = spore.w;
        }
    }
    float seconds = min(TIMEDELTA, 0.1) / STEPS;
    float covered = smoothstep(0.05, 0.22, plant);
    float crust = here.b + 0.06 * (0.25 * (left.b + right.b + under.b + over.b) - here.b) + seconds * 0.055 * covered;
    crust *= exp2(-seconds * (1.0 - 0.8 * covered) / mix(0.5, 60.0, feedback * feedback));
    return vec4(1.0 - clamp(food, 0.0, 1.0), clamp(plant, 0.0, 1.0), min(crust, 1.0), kind);
}

vec3 hued(vec3 colour) {
    float angle = hue * 6.2831853;
    vec3 axis = vec3(0.57735027);
    return max(vec3(0.0), mix(axis * dot(axis, colour), colour, cos(angle)) + cross(axis, colour) * sin(angle));
}

// The thallus a little blurred, so that the cells of the reaction are not seen.
vec4 soft() {
    vec2 off = 0.8 / IMG_SIZE(thallus);
    vec2 here = isf_FragNormCoord;
    return 0.25 * (IMG_NORM_PIXEL(thallus, here + off) + IMG_NORM_PIXEL(thallus, here - off)
                 + IMG_NORM_PIXEL(thallus, here + vec2(off.x, -off.y)) + IMG_NORM_PIXEL(thallus, here - vec2(off.x, -off.y)));
}

float height(vec4 ground, vec4 growth) {
    float crust = smoothstep(0.0, 0.25, growth.b);
    return ground.r * (0.20 - 0.07 * crust) + 0.020 * crust + 0.030 * growth.g + 0.0022 * crust * ground.a;
}

vec4 seen() {
    vec2 here = isf_FragNormCoord;
    vec2 wide = vec2(aspect(), 1.0);
    float reach = 1.0 / 230.0;
    vec2 x = vec2(reach / wide.x, 0.0), y = vec2(0.0, reach);
    vec4 ground = IMG_NORM_PIXEL(stone, here), growth = IMG_NORM_PIXEL(skin, here);
    float level = height(ground, growth);
    vec2 slope = vec2(height(IMG_NORM_PIXEL(stone, here + x), IMG_NORM_PIXEL(skin, here + x)),
                      height(IMG_NORM_PIXEL(stone, here + y), IMG_NORM_PIXEL(skin, here + y))) - level;
    slope /= reach;

    float angle = 2.5 - 1.9 * progress;
    vec2 lamp = vec2(0.5 * wide.x, 0.5) + vec2(cos(angle), sin(angle)) * vec2(0.95, 0.75);
    vec3 beam = vec3(lamp - here * wide, 0.46);
    float distance_ = length(beam);
    vec3 normal = normalize(vec3(-slope * (1.0 + 0.5 * loudness()), 1.0));
    float lit = max(0.0, dot(normal, beam / distance_)) * 1.8 / (0.45 + distance_ * distance_);

    float fine = chance(gl_FragCoord.xy);
    vec3 rock = mix(SLATE, IRON, smoothstep(0.45, 0.75, ground.g)) * (0.7 + 0.6 * ground.r) * (0.91 + 0.18 * fine);
    vec3 species = mix(mix(MINT, SULPHUR, smoothstep(0.25, 0.5, growth.a)), ORANGE, smoothstep(0.55, 0.8, growth.a));
    float crust = smoothstep(0.01, 0.16, growth.b);
    vec3 dead = mix(vec3(dot(species, vec3(0.35))), species, 0.75) * mix(0.80, 0.42, smoothstep(0.2, 0.8, growth.b));
    float young = smoothstep(0.08, 0.32, growth.g);
    vec3 colour = mix(rock, dead * (0.8 + 0.4 * fine), crust * 0.9);
    colour = mix(colour, species * (0.75 + 0.5 * growth.g) * (0.9 + 0.2 * fine), young);
    // Light hardly comes between the lobes.
    colour *= mix(1.0, 0.45 + 0.55 * smoothstep(0.0, 0.28, growth.g), crust);
    // The black line that each thallus draws around itself.
    colour *= 1.0 - 0.75 * smoothstep(0.01, 0.05, growth.g) * smoothstep(0.14, 0.07, growth.g) * (1.0 - crust);

    vec3 light = colour * lit * vec3(1.0, 0.93, 0.82) * (0.55 + 2.3 * loudness() + 0.5 * flux);
    light += colour * vec3(0.10, 0.13, 0.19) * (0.5 + 0.5 * normal.z);
    light = hued(light) * brightness;
    float peak = dot(light, vec3(0.35, 0.45, 0.20)) + 1e-5;
    float shown = 1.0 - exp(-peak);
    return vec4(mix(min(light * shown / peak, 1.0), vec3(shown), 0.35 * shown * shown), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = sown();
    else if (PASSINDEX == 1) gl_FragColor = hewn();
    else if (PASSINDEX < 8) gl_FragColor = grown();
    else gl_FragColor = PASSINDEX == 8 ? soft() : seen();
}
