/*{
    "ISFVSN": "2",
    "DESCRIPTION": "A filter that leaves its picture as it is: a quarter of it by each way to sample.",
    "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]
}*/
void main() {
    vec2 at = isf_FragNormCoord;
    bool right = at.x >= 0.5, top = at.y >= 0.5;
    vec4 light = IMG_PIXEL(inputImage, gl_FragCoord.xy);
    if (right && !top) light = IMG_NORM_PIXEL(inputImage, at);
    if (!right && top) light = gl_FragCoord.x < 2.0 ? IMG_THIS_PIXEL(inputImage) : IMG_THIS_NORM_PIXEL(inputImage);
    if (right && top) light = gl_FragCoord.x < 6.0 ? texture2D(inputImage, at) : texture2DRect(inputImage, gl_FragCoord.xy);
    gl_FragColor = IMG_SIZE(inputImage) == _inputImage_imgSize && _inputImage_imgRect.zw == IMG_SIZE(inputImage)
        ? light : vec4(1.0, 0.0, 1.0, 1.0);
}
