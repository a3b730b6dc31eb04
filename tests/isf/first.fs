/*
A comment before the header, as some files have it.
*/
/*{
    "CREDIT": "as written for version 1: no ISFVSN, buffers of their own, old names, commas too many",
    "INPUTS": [
        {"NAME": "mode", "TYPE": "long", "LABELS": ["off", "on"], "DEFAULT": "1",},
        {"NAME": "tint", "TYPE": "color", "DEFAULT": [1.0, 0.5, 0.0]},
    ],
    "PERSISTENT_BUFFERS": {"kept": {"WIDTH": "2", "HEIGHT": 3, "FLOAT": 1}, "unused": {}},
    "PASSES": [{"TARGET": "kept"}, {}],
}*/
#version 120
#extension GL_EXT_gpu_shader4 : enable
void main(void) {
    if (PASSINDEX == 0) {
        gl_FragColor = IMG_NORM_PIXEL(kept, vv_FragNormCoord) + vec4(1.0);
        return;
    }
    float frames = texture2D(kept, vec2(0.5)).r;
    gl_FragData[0] = vec4(mode == 1 ? tint.rgb : vec3(0.0), 1.0) * (frames == 2.0 ? 1.0 : 0.0) + IMG_NORM_PIXEL(unused, vec2(0.5));
}
