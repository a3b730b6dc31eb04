/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The new picture opens in the old as an iris of seven blades, which turn as they go; their edges are soft and dark, as blades are that stand out of focus.",
  "CREDIT": "installation",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

const float BLADES = 7.0;
const float SOFT = 0.16;

void main() {
    vec3 start = max(IMG_THIS_PIXEL(startImage).rgb, 0.0);
    vec3 end = max(IMG_THIS_PIXEL(endImage).rgb, 0.0);
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 off = (isf_FragNormCoord * 2.0 - 1.0) * vec2(aspect, 1.0);
    float eased = progress * progress * (3.0 - 2.0 * progress);
    float slice = 6.2831853 / BLADES;
    float angle = atan(off.y, off.x + 1e-6) + 0.9 * eased;
    float blade = cos(angle - slice * floor(angle / slice + 0.5));
    // The distance to the nearest blade, 1 where the farthest corner is; the blades are bowed, as they are made.
    float reach = length(off) * mix(1.0, blade, 0.75) / length(vec2(aspect, 1.0));
    float open = eased * (1.0 + 2.0 * SOFT) - SOFT;
    float come = 1.0 - smoothstep(-SOFT, SOFT, reach - open);
    vec3 light = sqrt(mix(start * start, end * end, come));
    float edge = 4.0 * come * (1.0 - come) * smoothstep(0.0, 0.15, progress) * smoothstep(1.0, 0.85, progress);
    gl_FragColor = vec4(light * (1.0 - 0.45 * edge), 1.0);
}
