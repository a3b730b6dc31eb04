#if __VERSION__ <= 120
varying vec3 hue;
#else
out vec3 hue;
#endif

void main() {
    isf_vertShaderInit();
    gl_Position.xy *= scale;
    hue = PASSINDEX == 0 ? vec3(isf_FragNormCoord, IMG_NORM_PIXEL(inputImage, vec2(0.5)).b) : vec3(0.0);
}
