/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Drawn at half its size by its vertex shader, which also works out a colour at the corners.",
    "INPUTS": [{"NAME": "scale", "TYPE": "float", "DEFAULT": 0.5}, {"NAME": "inputImage", "TYPE": "image"}]
}*/
#if __VERSION__ <= 120
varying vec3 hue;
#else
in vec3 hue;
#endif
void main() {
    gl_FragColor = vec4(hue, 1.0);
}
