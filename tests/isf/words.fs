/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Inputs called like words and functions of GLSL, which are used as such, too.",
    "INPUTS": [
        {"NAME": "sample", "TYPE": "float", "DEFAULT": 0.2},
        {"NAME": "length", "TYPE": "float", "DEFAULT": 0.4},
        {"NAME": "texture", "TYPE": "image"}
    ],
    "PASSES": [{"TARGET": "buffer", "FLOAT": true}, {}]
}*/
void main() {
    if (PASSINDEX == 0) gl_FragColor = vec4(sample, length * length(vec2(0.0, 1.0)), IMG_NORM_PIXEL(texture, vec2(0.5)).r, 1.0);
    else gl_FragColor = IMG_THIS_PIXEL(buffer);
}
