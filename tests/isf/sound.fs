/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Both kinds of sound: the wave of both channels below, its spectrum above.",
    "INPUTS": [{"NAME": "wave", "TYPE": "audio", "MAX": 8}, {"NAME": "bands", "TYPE": "audioFFT", "MAX": 8}]
}*/
void main() {
    float row = gl_FragCoord.y < 3.0 ? 0.5 : 1.5;
    vec2 at = vec2(gl_FragCoord.x, row);
    gl_FragColor = vec4(IMG_PIXEL(wave, at).r, IMG_PIXEL(bands, vec2(gl_FragCoord.x, 0.5)).r, IMG_SIZE(wave).y / 255.0, 1.0);
}
