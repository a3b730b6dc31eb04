/*{
  "ISFVSN": "2",
  "DESCRIPTION": "An old lens: less light towards the corners, and there the colours no longer quite meet.",
  "CREDIT": "installation",
  "CATEGORIES": ["Filter", "Film"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "IDENTITY": 0.0, "LABEL": "How old it is"},
    {"NAME": "vignette", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "How dark the corners are"},
    {"NAME": "fringe", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.0, "MAX": 1.0, "LABEL": "How far red and blue lie apart"}
  ]
}*/

void main() {
    vec2 off = isf_FragNormCoord - 0.5;
    vec2 round_ = off * vec2(min(1.0, RENDERSIZE.x / RENDERSIZE.y), min(1.0, RENDERSIZE.y / RENDERSIZE.x) * 1.6);
    float far = dot(off, off) * 2.0;
    // Sideways colour grows with the square of the distance; red is drawn in and blue out, so that the corners stay full.
    vec2 apart = off * far * fringe * amount * 0.022;
    vec4 here = IMG_THIS_PIXEL(inputImage);
    float red = IMG_NORM_PIXEL(inputImage, isf_FragNormCoord - apart).r;
    float blue = IMG_NORM_PIXEL(inputImage, isf_FragNormCoord - apart * 2.0).b;
    // Natural fall-off goes with the fourth power of the cosine.
    float slant = 1.0 / (1.0 + 3.0 * vignette * amount * dot(round_, round_));
    gl_FragColor = vec4(vec3(red, here.g, blue) * slant * slant, here.a);
}
