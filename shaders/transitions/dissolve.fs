/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The new picture comes through the old like damp through a wall: where the old is dark first, where it is bright last.",
  "CREDIT": "installation",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

float grain(vec2 at) {
    vec2 cell = floor(at), within = fract(at);
    within *= within * (3.0 - 2.0 * within);
    vec4 corners = fract(sin(vec4(0.0, 1.0, 57.0, 58.0) + dot(cell, vec2(1.0, 57.0))) * 43758.5453);
    return mix(mix(corners.x, corners.y, within.x), mix(corners.z, corners.w, within.x), within.y);
}

void main() {
    vec3 start = IMG_THIS_PIXEL(startImage).rgb;
    vec3 end = IMG_THIS_PIXEL(endImage).rgb;
    vec2 at = isf_FragNormCoord * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    float wall = 0.55 * grain(at * 4.0) + 0.30 * grain(at * 9.0 + 7.0) + 0.15 * grain(at * 23.0 + 3.0);
    float holds = 0.6 * wall + 0.4 * sqrt(dot(start, vec3(0.2126, 0.7152, 0.0722)));
    // Wide and soft: a pixel takes two fifths of the whole time to change.
    float come = smoothstep(0.0, 0.4, progress * 1.4 - holds);
    vec3 light = mix(start * start, end * end, come);
    gl_FragColor = vec4(sqrt(light), 1.0);
}
