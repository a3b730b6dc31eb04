/*{
  "ISFVSN": "2",
  "DESCRIPTION": "What is bright spills over its edges, as light does in an eye or on film.",
  "CREDIT": "installation",
  "CATEGORIES": ["Filter", "Light"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0, "IDENTITY": 0.0, "LABEL": "How much of the light spills"},
    {"NAME": "threshold", "TYPE": "float", "DEFAULT": 0.45, "MIN": 0.0, "MAX": 1.0, "LABEL": "How bright it must be to spill"},
    {"NAME": "radius", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "How far it spills"}
  ],
  "PASSES": [
    {"TARGET": "bright", "FLOAT": true, "WIDTH": "max(1, 90*$WIDTH/$HEIGHT)", "HEIGHT": 90},
    {"TARGET": "aside", "FLOAT": true, "WIDTH": "max(1, 90*$WIDTH/$HEIGHT)", "HEIGHT": 90},
    {"TARGET": "around", "FLOAT": true, "WIDTH": "max(1, 90*$WIDTH/$HEIGHT)", "HEIGHT": 90},
    {}
  ]
}*/

// The bright alone, on 90 lines however high the picture is: so it spills as far at any size. The threshold is soft:
// nothing pops in.
vec4 bright_() {
    vec3 sum = vec3(0.0);
    for (int i = 0; i < 16; i++) {
        vec2 off = (vec2(float(i & 3), float(i >> 2)) - 1.5) * 0.25 / RENDERSIZE;
        sum += max(IMG_NORM_PIXEL(inputImage, isf_FragNormCoord + off).rgb, 0.0);
    }
    sum *= 0.0625;
    float level = max(sum.r, max(sum.g, sum.b));
    return vec4(sum * smoothstep(threshold * 0.6, threshold * 1.4 + 0.02, level), 1.0);
}

// A bell of 13 taps along one axis; what lies beyond the picture's edge is dark.
vec3 bell(vec2 axis, sampler2D image) {
    float wide = mix(0.5, 3.0, radius);
    vec3 sum = vec3(0.0);
    float whole = 0.0;
    for (int i = -6; i <= 6; i++) {
        float weight = exp(-float(i * i) * 0.11);
        vec2 at = isf_FragNormCoord + axis * float(i) * wide;
        vec2 inside = step(vec2(0.0), at) * step(at, vec2(1.0));
        sum += weight * inside.x * inside.y * texture(image, at).rgb;
        whole += weight;
    }
    return sum / whole;
}

void main() {
    if (PASSINDEX == 0) gl_FragColor = bright_();
    else if (PASSINDEX == 1) gl_FragColor = vec4(bell(vec2(1.0 / IMG_SIZE(bright).x, 0.0), bright), 1.0);
    else if (PASSINDEX == 2) gl_FragColor = vec4(bell(vec2(0.0, 1.0 / IMG_SIZE(aside).y), aside), 1.0);
    else {
        vec4 here = IMG_THIS_PIXEL(inputImage);
        vec3 spill = amount * IMG_THIS_PIXEL(around).rgb;
        // As two lights on one film: it never gets brighter than white.
        gl_FragColor = vec4(here.rgb + spill * max(vec3(0.0), 1.0 - here.rgb), here.a);
    }
}
