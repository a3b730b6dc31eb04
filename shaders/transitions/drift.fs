/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A wind takes the old picture off in strands, and the new one drifts in on it and comes to rest.",
  "CREDIT": "installation",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "far", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0, "LABEL": "How far the wind carries"}
  ]
}*/

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

// What is beyond the edge is the edge, mirrored: no border comes in with the wind.
vec2 mirrored(vec2 at) { return 1.0 - abs(1.0 - mod(at, 2.0)); }

void main() {
    vec2 at = isf_FragNormCoord;
    vec2 wide = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    float strand = 0.6 * rough(at * wide * vec2(1.1, 5.0)) + 0.3 * rough(at * wide * vec2(2.3, 17.0) + 9.0) + 0.1 * rough(at * wide * vec2(5.0, 51.0) + 3.0);
    vec2 wind = vec2(0.35 + 0.65 * strand, 0.25 * (rough(at * wide * 1.7 + 21.0) - 0.5)) * far;
    float gone = progress * progress, rest = 1.0 - progress;
    vec3 start = max(IMG_NORM_PIXEL(startImage, mirrored(at - wind * gone)).rgb, 0.0);
    vec3 end = max(IMG_NORM_PIXEL(endImage, mirrored(at + wind * rest * rest)).rgb, 0.0);
    float come = smoothstep(0.0, 0.5, progress * 1.5 - strand);
    gl_FragColor = vec4(sqrt(mix(start * start, end * end, come)), 1.0);
}
