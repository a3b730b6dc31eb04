/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The picture leaves itself behind: what was bright fades slowly, and may drift outward as it does.",
  "CREDIT": "installation",
  "CATEGORIES": ["Filter", "Feedback"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "IDENTITY": 0.0, "LABEL": "How long they stay"},
    {"NAME": "drift", "TYPE": "float", "DEFAULT": 0.15, "MIN": -1.0, "MAX": 1.0, "LABEL": "How fast they drift outward, below 0 inward"}
  ],
  "PASSES": [
    {"TARGET": "trail", "PERSISTENT": true, "FLOAT": true},
    {}
  ]
}*/

vec4 left() {
    float delta = min(TIMEDELTA, 0.1);
    vec2 from = 0.5 + (isf_FragNormCoord - 0.5) * exp2(-0.5 * drift * delta);
    vec2 inside = step(vec2(0.0), from) * step(from, vec2(1.0));
    // Half is left after up to four seconds, of the whole picture alike: no colour outlives another.
    vec3 before = IMG_NORM_PIXEL(trail, from).rgb * inside.x * inside.y;
    before *= amount > 0.0 ? exp2(-delta / (4.0 * amount * amount + 1e-4)) : 0.0;
    // Below what eight bits show nothing is kept: it would never be quite gone.
    before = max(before - 0.0004, 0.0);
    return vec4(max(before, IMG_THIS_PIXEL(inputImage).rgb), 1.0);
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = left();
    else gl_FragColor = vec4(IMG_THIS_PIXEL(trail).rgb, IMG_THIS_PIXEL(inputImage).a);
}
