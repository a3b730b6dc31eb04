"""The words of GLSL (The OpenGL Shading Language 3.30 to 4.50, keywords, reserved words and built-in functions): an
input or target may be called like one of them, for in another version of GLSL it may have been none."""

from __future__ import annotations

_KEYWORDS = """
attribute const uniform varying buffer shared coherent volatile restrict readonly writeonly atomic_uint layout
centroid flat smooth noperspective patch sample break continue do for while switch case default if else subroutine
in out inout float double int void bool true false invariant precise discard return uint struct lowp mediump highp
precision common partition active asm class union enum typedef template this resource goto inline noinline public
static extern external interface long short half fixed unsigned superp input output filter sizeof cast namespace using
packed
"""

_BARRED = """
sample common partition active asm class union enum typedef template this packed goto inline noinline public extern
external interface long short half fixed unsigned superp input output filter sizeof cast namespace using
"""

_FUNCTIONS = """
radians degrees sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh pow exp log exp2 log2 sqrt inversesqrt abs
sign floor trunc round roundEven ceil fract mod modf min max clamp mix step smoothstep isnan isinf floatBitsToInt
floatBitsToUint intBitsToFloat uintBitsToFloat fma frexp ldexp length distance dot cross normalize ftransform
faceforward reflect refract matrixCompMult outerProduct transpose determinant inverse lessThan lessThanEqual
greaterThan greaterThanEqual equal notEqual any all not textureSize texture textureProj textureLod textureOffset
texelFetch textureGrad textureGather texture1D texture2D texture3D textureCube dFdx dFdy fwidth noise1 noise2 noise3
noise4 bitfieldExtract bitfieldInsert bitfieldReverse bitCount findLSB findMSB interpolateAtCentroid
interpolateAtSample interpolateAtOffset
"""

WORDS = frozenset((*_KEYWORDS.split(), *_FUNCTIONS.split()))
BARRED = frozenset(_BARRED.split())
"""Those that may be names in older GLSL and have no use in ours."""
